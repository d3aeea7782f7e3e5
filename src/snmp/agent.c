/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * See agent.h. One handler answers GET and GETNEXT of all three modules from the sorted model; net-snmp makes GETBULK
 * of GETNEXT, and refuses SET for want of a handler that could.
 */
#include <net-snmp/net-snmp-config.h>

#include <net-snmp/net-snmp-includes.h>

#include <net-snmp/agent/net-snmp-agent-includes.h>

#include "snmp/agent.h"

#include <errno.h>
#include <string.h>
#include <sys/select.h>

#define APPLICATION "evenkeel-snmp"
#define RECONNECT_S 2
#define ARCS_MAX MAX_OID_LEN

_Static_assert(SNMP_OID_MAX <= MAX_OID_LEN, "net-snmp takes OIDs as long as ours");

/* net-snmp's arcs are of its own width. */
static unsigned to_arcs(const oid *from, size_t length, uint32_t arcs[static ARCS_MAX])
{
    unsigned count = length < ARCS_MAX ? (unsigned)length : ARCS_MAX;

    for (unsigned i = 0; i < count; i++)
        arcs[i] = (uint32_t)from[i];
    return count;
}

static size_t from_arcs(const uint32_t *arcs, unsigned length, oid out[static MAX_OID_LEN])
{
    for (unsigned i = 0; i < length; i++)
        out[i] = arcs[i];
    return length;
}

static u_char asn_type(enum snmp_type type)
{
    switch (type) {
    case SNMP_INTEGER:
        return ASN_INTEGER;
    case SNMP_UNSIGNED:
        return ASN_UNSIGNED;
    case SNMP_COUNTER32:
        return ASN_COUNTER;
    case SNMP_COUNTER64:
        return ASN_COUNTER64;
    case SNMP_TICKS:
    case SNMP_STAMP:
        return ASN_TIMETICKS;
    case SNMP_IPADDRESS:
        return ASN_IPADDRESS;
    case SNMP_INET:
    case SNMP_MAC:
    case SNMP_TEXT:
    case SNMP_SECRET:
        return ASN_OCTET_STR;
    }
    return ASN_NULL;
}

static void set_value(netsnmp_variable_list *variable, const struct snmp_value *value)
{
    struct counter64 wide = {.high = (u_long)((uint64_t)value->number >> 32), .low = (u_long)(uint32_t)value->number};
    long narrow = (long)value->number;
    u_char type = asn_type((enum snmp_type)value->type);

    if (value->bytes != NULL)
        snmp_set_var_typed_value(variable, type, value->bytes, value->length);
    else if (type == ASN_COUNTER64)
        snmp_set_var_typed_value(variable, type, &wide, sizeof(wide));
    else
        snmp_set_var_typed_value(variable, type, &narrow, sizeof(narrow));
}

/* The instance that GETNEXT means: after the variable's OID, or at it (AgentX, `include`), within the registered
 * subtree. */
static const struct snmp_entry *find_next(const struct snmp_model *model, const netsnmp_request_info *request,
                                          const struct snmp_module *module)
{
    uint32_t arcs[ARCS_MAX];
    unsigned length = to_arcs(request->requestvb->name, request->requestvb->name_length, arcs);
    unsigned i = snmp_model_lower_bound(model, arcs, length);
    const struct snmp_entry *entry = &model->entries[i];

    if (i < model->count && !request->inclusive && snmp_arcs_compare(entry->arcs, entry->length, arcs, length) == 0)
        entry = &model->entries[++i];
    if (i == model->count || !snmp_arcs_are_under(entry->arcs, entry->length, module->root, module->root_length))
        return NULL;
    return entry;
}

static void answer_next(const struct snmp_model *model, netsnmp_request_info *request, const struct snmp_module *module)
{
    const struct snmp_entry *entry = model != NULL ? find_next(model, request, module) : NULL;
    oid name[MAX_OID_LEN];

    if (entry == NULL)
        return; /* net-snmp goes on behind the subtree */
    struct snmp_value value = snmp_model_value(model, entry);
    size_t length = from_arcs(entry->arcs, entry->length, name);

    snmp_set_var_objid(request->requestvb, name, length);
    set_value(request->requestvb, &value);
}

/* Is the OID an instance, though not one that exists, of an object that does? */
static bool is_instance(const uint32_t *arcs, unsigned length, const struct snmp_module *module)
{
    for (unsigned t = 0; t < module->table_count; t++) {
        const struct snmp_table *table = &module->tables[t];

        if (length <= table->entry_length + 1 || !snmp_arcs_are_under(arcs, length, table->entry, table->entry_length))
            continue;
        for (unsigned c = 0; c < table->column_count; c++) {
            if (table->columns[c].arc == arcs[table->entry_length])
                return true;
        }
    }
    return false;
}

static void answer_get(const struct snmp_model *model, netsnmp_agent_request_info *info, netsnmp_request_info *request,
                       const struct snmp_module *module)
{
    uint32_t arcs[ARCS_MAX];
    unsigned length = to_arcs(request->requestvb->name, request->requestvb->name_length, arcs);
    const struct snmp_entry *entry = model != NULL ? snmp_model_get(model, arcs, length) : NULL;

    if (entry == NULL) {
        netsnmp_set_request_error(info, request,
                                  is_instance(arcs, length, module) ? SNMP_NOSUCHINSTANCE : SNMP_NOSUCHOBJECT);
        return;
    }
    struct snmp_value value = snmp_model_value(model, entry);

    set_value(request->requestvb, &value);
}

/* The module that was registered at this root. */
static const struct snmp_module *module_at(const netsnmp_handler_registration *registered)
{
    uint32_t arcs[ARCS_MAX];
    unsigned length = to_arcs(registered->rootoid, registered->rootoid_len, arcs);

    for (unsigned i = 0; i < SNMP_MODULE_COUNT; i++) {
        if (snmp_arcs_compare(arcs, length, snmp_modules[i]->root, snmp_modules[i]->root_length) == 0)
            return snmp_modules[i];
    }
    return NULL;
}

static int answer(netsnmp_mib_handler *handler, netsnmp_handler_registration *registered,
                  netsnmp_agent_request_info *info, netsnmp_request_info *requests)
{
    const struct agent_callbacks *callbacks = handler->myvoid;
    const struct snmp_model *model = callbacks->model(callbacks->context);
    const struct snmp_module *module = module_at(registered);

    for (netsnmp_request_info *request = requests; module != NULL && request != NULL; request = request->next) {
        if (request->processed)
            continue;
        if (info->mode == MODE_GET)
            answer_get(model, info, request, module);
        else if (info->mode == MODE_GETNEXT)
            answer_next(model, request, module);
    }
    return SNMP_ERR_NOERROR;
}

static int register_module(const struct agent_callbacks *callbacks, const struct snmp_module *module)
{
    oid root[MAX_OID_LEN];
    size_t length = from_arcs(module->root, module->root_length, root);
    netsnmp_handler_registration *made =
        netsnmp_create_handler_registration(module->name, answer, root, length, HANDLER_CAN_RONLY);

    if (made == NULL)
        return -ENOMEM;
    made->handler->myvoid = (void *)callbacks; /* not net-snmp's to free */
    return netsnmp_register_handler(made) == MIB_REGISTERED_OK ? 0 : -EEXIST;
}

static int forward_log(int major, int minor, void *server, void *client)
{
    const struct snmp_log_message *message = server;
    const struct agent_callbacks *callbacks = client;

    (void)major, (void)minor;
    callbacks->log(callbacks->context, message->priority, message->msg);
    return 0;
}

/* No file of net-snmp is read or written: all that matters is on our command line. */
static void configure(const char *socket, const struct agent_callbacks *callbacks)
{
    setenv("MIBS", "", 1);
    setenv("MIBDIRS", "", 1);
    netsnmp_ds_set_boolean(NETSNMP_DS_LIBRARY_ID, NETSNMP_DS_LIB_DONT_READ_CONFIGS, 1);
    netsnmp_ds_set_boolean(NETSNMP_DS_LIBRARY_ID, NETSNMP_DS_LIB_DONT_PERSIST_STATE, 1);
    netsnmp_ds_set_boolean(NETSNMP_DS_LIBRARY_ID, NETSNMP_DS_LIB_DISABLE_PERSISTENT_LOAD, 1);
    netsnmp_ds_set_boolean(NETSNMP_DS_LIBRARY_ID, NETSNMP_DS_LIB_DISABLE_PERSISTENT_SAVE, 1);
    netsnmp_ds_set_boolean(NETSNMP_DS_APPLICATION_ID, NETSNMP_DS_AGENT_ROLE, 1);
    netsnmp_ds_set_string(NETSNMP_DS_APPLICATION_ID, NETSNMP_DS_AGENT_X_SOCKET, socket);
    snmp_register_callback(SNMP_CALLBACK_LIBRARY, SNMP_CALLBACK_LOGGING, forward_log, (void *)callbacks);
    snmp_enable_calllog();
}

int agent_open(const char *socket, const struct agent_callbacks *callbacks)
{
    int error = 0;

    configure(socket, callbacks);
    if (init_agent(APPLICATION) != 0)
        return -EIO;
    /* init_agent sets its own default, init_snmp connects: in between. */
    netsnmp_ds_set_int(NETSNMP_DS_APPLICATION_ID, NETSNMP_DS_AGENT_AGENTX_PING_INTERVAL, RECONNECT_S);
    for (unsigned i = 0; i < SNMP_MODULE_COUNT && error == 0; i++)
        error = register_module(callbacks, snmp_modules[i]);
    init_snmp(APPLICATION);
    return error;
}

void agent_wait(int timeout_ms)
{
    struct timeval timeout = {.tv_sec = timeout_ms / 1000, .tv_usec = timeout_ms % 1000 * 1000};
    int count = 0, block = 0; /* 0: `timeout` is set, and may become shorter */
    fd_set readable;

    FD_ZERO(&readable);
    snmp_select_info(&count, &readable, &timeout, &block);
    count = select(count, &readable, NULL, NULL, &timeout);
    if (count > 0)
        snmp_read(&readable);
    else if (count == 0)
        snmp_timeout();
    run_alarms();
    netsnmp_check_outstanding_agent_requests();
}

int64_t agent_uptime_cs(void)
{
    return (int64_t)netsnmp_get_agent_uptime();
}

void agent_notify(const struct snmp_notice *notice)
{
    static const oid trap_oid[] = {1, 3, 6, 1, 6, 3, 1, 1, 4, 1, 0};
    netsnmp_variable_list *variables = NULL;
    oid name[MAX_OID_LEN];
    size_t length = from_arcs(notice->trap.arcs, notice->trap.length, name);

    snmp_varlist_add_variable(&variables, trap_oid, OID_LENGTH(trap_oid), ASN_OBJECT_ID, name, length * sizeof(oid));
    for (unsigned i = 0; i < notice->bind_count; i++) {
        const struct snmp_bind *bind = &notice->binds[i];

        length = from_arcs(bind->oid.arcs, bind->oid.length, name);
        netsnmp_variable_list *variable = snmp_varlist_add_variable(&variables, name, length, ASN_NULL, NULL, 0);

        if (variable != NULL)
            set_value(variable, &bind->value);
    }
    send_v2trap(variables);
    snmp_free_varbind(variables);
}

void agent_close(const struct agent_callbacks *callbacks)
{
    /* A callback's argument that is still registered is freed by snmp_shutdown. */
    snmp_unregister_callback(SNMP_CALLBACK_LIBRARY, SNMP_CALLBACK_LOGGING, forward_log, (void *)callbacks, 1);
    snmp_disable_log();
    snmp_shutdown(APPLICATION);
}
