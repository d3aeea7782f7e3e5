/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Checks a JSON value against the part of JSON Schema that the schemas in doc/ use. */
#ifndef EVENKEEL_TESTS_SCHEMA_CHECK_H
#define EVENKEEL_TESTS_SCHEMA_CHECK_H

#include <jansson.h>
#include <stdbool.h>

#define SCHEMA_WHERE_MAX 256

/* False when `value` breaks `schema`; `where` then tells which field and which rule. `root` holds $defs. */
bool schema_check(const json_t *root, const json_t *schema, const json_t *value, char where[static SCHEMA_WHERE_MAX]);

/* A schema of doc/ by its file's name; NULL: it cannot be read. */
json_t *schema_load(const char *name);
/* The same for a file of doc/, as a whole or one of its $defs. */
bool schema_check_answer(const char *file, const char *definition, const json_t *answer,
                         char where[static SCHEMA_WHERE_MAX]);

#endif
