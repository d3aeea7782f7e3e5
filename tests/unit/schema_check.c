/* SPDX-License-Identifier: GPL-2.0-or-later */
/* type, enum, const, minimum, maximum, properties, required, additionalProperties, items, $ref (also into another file
 * of doc/). A schema with another rule fails, so that no rule is passed over in silence. Called by test_status_json.c.
 */
#include "schema_check.h"

#include <stdio.h>
#include <stdlib.h>
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
    const json_t *others = json_object_get(schema, "additionalProperties");
    const char *key;
    size_t length = strlen(where);

    json_object_foreach(value, key, item)
    {
        const json_t *property = json_object_get(properties, key);

        snprintf(where + length, SCHEMA_WHERE_MAX - length, ".%s", key);
        if (property == NULL && json_is_false(others))
            return fail(where, "additionalProperties");
        if (property == NULL && json_is_object(others))
            property = others;
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
    static const char *const silent[] = {"$schema", "$defs", "title", "description"};

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
    if (strcmp(rule, "properties") == 0 || strcmp(rule, "additionalProperties") == 0)
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

json_t *schema_load(const char *name)
{
    const char *srcdir = getenv("srcdir");
    char path[512];

    snprintf(path, sizeof(path), "%s/doc/%s", srcdir != NULL ? srcdir : ".", name);
    return json_load_file(path, 0, NULL);
}

/* "FILE#/$defs/NAME", FILE in doc/; without FILE in this one. */
static bool check_reference(const json_t *root, const char *reference, const json_t *value, char *where)
{
    const char *hash = strchr(reference, '#');
    char file[128];

    if (hash == NULL || strncmp(hash, DEFS, strlen(DEFS)) != 0)
        return fail(where, reference);
    snprintf(file, sizeof(file), "%.*s", (int)(hash - reference), reference);
    json_t *other = *file == '\0' ? json_incref((json_t *)root) : schema_load(file);
    const json_t *target = json_object_get(json_object_get(other, "$defs"), hash + strlen(DEFS));
    bool good = target != NULL ? schema_check(other, target, value, where) : fail(where, reference);

    json_decref(other);
    return good;
}

bool schema_check(const json_t *root, const json_t *schema, const json_t *value, char where[static SCHEMA_WHERE_MAX])
{
    const char *reference = json_string_value(json_object_get(schema, "$ref"));
    const char *rule;
    json_t *setting;

    if (reference != NULL)
        return check_reference(root, reference, value, where);
    json_object_foreach((json_t *)schema, rule, setting)
    {
        if (!check_rule(root, schema, rule, setting, value, where))
            return false;
    }
    return true;
}

bool schema_check_answer(const char *file, const char *definition, const json_t *answer,
                         char where[static SCHEMA_WHERE_MAX])
{
    json_t *root = schema_load(file);
    const json_t *schema = definition != NULL ? json_object_get(json_object_get(root, "$defs"), definition) : root;

    snprintf(where, SCHEMA_WHERE_MAX, "%s %s", file, definition != NULL ? definition : "");
    bool good = schema != NULL ? schema_check(root, schema, answer, where) : fail(where, "cannot be read");

    json_decref(root);
    return good;
}
