/* SPDX-License-Identifier: GPL-2.0-or-later */
/* type, enum, const, minimum, maximum, properties, required, additionalProperties, items, $ref. A schema with another
 * rule fails, so that no rule is passed over in silence. Called by test_status_json.c. */
#include "schema_check.h"

#include <stdio.h>
#include <string.h>

#define DEFS "#/$defs/"

static bool fail(char *where, const char *rule)
{
    size_t used = strlen(where);

    snprintf(where + used, SCHEMA_WHERE_MAX - used, " breaks '%s'", rule);
    return false;
}

static bool is_type(const json_t *value, const char *type)
{
    switch (json_typeof(value)) {
    case JSON_OBJECT:
        return strcmp(type, "object") == 0;
    case JSON_ARRAY:
        return strcmp(type, "array") == 0;
    case JSON_STRING:
        return strcmp(type, "string") == 0;
    case JSON_INTEGER:
        return strcmp(type, "integer") == 0 || strcmp(type, "number") == 0;
    case JSON_REAL:
        return strcmp(type, "number") == 0;
    case JSON_TRUE:
    case JSON_FALSE:
        return strcmp(type, "boolean") == 0;
    case JSON_NULL:
        return strcmp(type, "null") == 0;
    }
    return false;
}

static bool has_type(const json_t *value, const json_t *types)
{
    json_t *type;
    size_t i;

    if (json_is_string(types))
        return is_type(value, json_string_value(types));
    json_array_foreach(types, i, type)
    {
        if (is_type(value, json_string_value(type)))
            return true;
    }
    return false;
}

static bool is_listed(const json_t *value, const json_t *list)
{
    json_t *item;
    size_t i;

    json_array_foreach(list, i, item)
    {
        if (json_equal(value, item))
            return true;
    }
    return false;
}

static bool check_properties(const json_t *root, const json_t *schema, json_t *value, char *where)
{
    json_t *properties = json_object_get(schema, "properties"), *item;
    const char *key;
    size_t length = strlen(where);

    json_object_foreach(value, key, item)
    {
        const json_t *property = json_object_get(properties, key);

        snprintf(where + length, SCHEMA_WHERE_MAX - length, ".%s", key);
        if (property == NULL && json_is_false(json_object_get(schema, "additionalProperties")))
            return fail(where, "additionalProperties");
        if (property != NULL && !schema_check(root, property, item, where))
            return false;
    }
    where[length] = '\0';
    return true;
}

static bool check_required(const json_t *required, const json_t *value, char *where)
{
    json_t *name;
    size_t i;

    json_array_foreach(required, i, name)
    {
        if (json_object_get(value, json_string_value(name)) == NULL)
            return fail(where, json_string_value(name));
    }
    return true;
}

static bool check_items(const json_t *root, const json_t *schema, const json_t *value, char *where)
{
    size_t length = strlen(where), i;
    json_t *item;

    json_array_foreach(value, i, item)
    {
        snprintf(where + length, SCHEMA_WHERE_MAX - length, "[%zu]", i);
        if (!schema_check(root, schema, item, where))
            return false;
    }
    where[length] = '\0';
    return true;
}

static bool check_rule(const json_t *root, const json_t *schema, const char *rule, const json_t *setting,
                       const json_t *value, char *where)
{
    static const char *const silent[] = {"$schema", "$defs", "title", "description", "additionalProperties"};

    if (strcmp(rule, "type") == 0)
        return has_type(value, setting) || fail(where, rule);
    if (strcmp(rule, "enum") == 0)
        return is_listed(value, setting) || fail(where, rule);
    if (strcmp(rule, "const") == 0)
        return json_equal(value, setting) == 1 || fail(where, rule);
    if (strcmp(rule, "minimum") == 0)
        return !json_is_number(value) || json_number_value(value) >= json_number_value(setting) || fail(where, rule);
    if (strcmp(rule, "maximum") == 0)
        return !json_is_number(value) || json_number_value(value) <= json_number_value(setting) || fail(where, rule);
    if (strcmp(rule, "properties") == 0)
        return !json_is_object(value) || check_properties(root, schema, (json_t *)value, where);
    if (strcmp(rule, "required") == 0)
        return !json_is_object(value) || check_required(setting, value, where);
    if (strcmp(rule, "items") == 0)
        return !json_is_array(value) || check_items(root, setting, value, where);
    for (size_t i = 0; i < sizeof(silent) / sizeof(silent[0]); i++) {
        if (strcmp(rule, silent[i]) == 0)
            return true;
    }
    return fail(where, rule);
}

bool schema_check(const json_t *root, const json_t *schema, const json_t *value, char where[static SCHEMA_WHERE_MAX])
{
    const char *reference = json_string_value(json_object_get(schema, "$ref"));
    const char *rule;
    json_t *setting;

    if (reference != NULL) {
        const json_t *target = strncmp(reference, DEFS, strlen(DEFS)) == 0
                                   ? json_object_get(json_object_get(root, "$defs"), reference + strlen(DEFS))
                                   : NULL;

        return target != NULL ? schema_check(root, target, value, where) : fail(where, reference);
    }
    json_object_foreach((json_t *)schema, rule, setting)
    {
        if (!check_rule(root, schema, rule, setting, value, where))
            return false;
    }
    return true;
}
