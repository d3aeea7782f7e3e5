/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Short forms of keyword rows, so that a table reads as one: name, field, range, default, how common, help. A table's
 * file defines ROW_TARGET, the type that offsets count in. Included by the files that hold tables.
 */
#ifndef EVENKEEL_COMPAT_ROWS_H
#define EVENKEEL_COMPAT_ROWS_H

#include <stddef.h>

#include "base/check.h"
#include "base/mono.h"
#include "compat_words.h"

#define ROW_FIELD(field) .offset = offsetof(ROW_TARGET, field)
#define ROW_SIZE(field) .size = sizeof(((ROW_TARGET *)0)->field)
#define ROW_US(seconds) ((int64_t)(seconds)*US_PER_S)

/* A whole number. */
#define ROW_INTEGER(word, field, low, high, what, preset, tier, text)                                                  \
    {                                                                                                                  \
        .name = word, .type = KEYWORD_INTEGER, .argument = "N", .minimum = low, .maximum = high, .unit = what,         \
        .default_note = preset, ROW_FIELD(field), ROW_SIZE(field), .common = tier, .help = text                        \
    }
/* Decimal seconds; low, high and grain in microseconds. */
#define ROW_SECONDS(word, field, low, high, preset, tier, text)                                                        \
    {                                                                                                                  \
        .name = word, .type = KEYWORD_SECONDS, .argument = "SECONDS", .minimum = low, .maximum = high,                 \
        .default_note = preset, ROW_FIELD(field), .common = tier, .help = text                                         \
    }
/* A word alone, or with on|off; the field may be bool or int8_t. */
#define ROW_FLAG(word, field, preset, tier, text)                                                                      \
    {                                                                                                                  \
        .name = word, .type = KEYWORD_FLAG, .argument = "[on|off]", .default_note = preset, ROW_FIELD(field),          \
        .common = tier, .help = text                                                                                   \
    }
/* A word alone that sets the field to `value`. */
#define ROW_SET(word, field, value, tier, text)                                                                        \
    {                                                                                                                  \
        .name = word, .type = KEYWORD_SET, .minimum = value, .repeatable = true, ROW_FIELD(field), .common = tier,     \
        .help = text                                                                                                   \
    }
#define ROW_CHOICE(word, field, list, shown, preset, tier, text)                                                       \
    {                                                                                                                  \
        .name = word, .type = KEYWORD_CHOICE, .argument = shown, .choices = list, .default_note = preset,              \
        ROW_FIELD(field), .common = tier, .help = text                                                                 \
    }
#define ROW_TEXT(word, field, shown, preset, tier, text)                                                               \
    {                                                                                                                  \
        .name = word, .type = KEYWORD_TEXT, .argument = shown, .default_note = preset, ROW_FIELD(field),               \
        .common = tier, .help = text                                                                                   \
    }
/* Arguments of its own, read by `function`. */
#define ROW_CUSTOM(word, function, field, shown, preset, tier, text)                                                   \
    {                                                                                                                  \
        .name = word, .type = KEYWORD_CUSTOM, .take = function, .argument = shown, .default_note = preset,             \
        ROW_FIELD(field), .common = tier, .help = text                                                                 \
    }
#define ROW_WEIGHT(field, most, preset, tier, text)                                                                    \
    {                                                                                                                  \
        .name = "weight", .type = KEYWORD_CUSTOM, .take = compat_take_weight, .maximum = most,                         \
        .argument = "N [reverse|noreverse]", .default_note = preset, ROW_FIELD(field), .common = tier, .help = text    \
    }
/* The first of two commands counts, which compat_take_command reports. */
#define ROW_COMMAND(word, field, tier, text)                                                                           \
    {                                                                                                                  \
        .name = word, .type = KEYWORD_CUSTOM, .take = compat_take_command, .argument = "COMMAND [USER [GROUP]]",       \
        .default_note = "none", .repeatable = true, ROW_FIELD(field), .common = tier, .help = text                     \
    }
/* A block of lines; such blocks add up. */
#define ROW_LINES(word, function, field, shown, tier, text)                                                            \
    {                                                                                                                  \
        .name = word, .type = KEYWORD_BLOCK, .enter = function, .argument = "{ " shown " ... }", .repeatable = true,   \
        ROW_FIELD(field), .common = tier, .help = text                                                                 \
    }
#define ROW_TRACK(word, kind, field, tier)                                                                             \
    {                                                                                                                  \
        .name = word, .type = KEYWORD_BLOCK, .enter = compat_enter_trackers, .minimum = kind,                          \
        .argument = "{ NAME [weight N [reverse]] ... }", .repeatable = true, ROW_FIELD(field), .common = tier,         \
        .help = "What the priority, or the state FAULT, depends on."                                                   \
    }
/* Known, and without effect here: `why` goes on after the keyword's name. */
#define ROW_IGNORED(word, tier, why)                                                                                   \
    {                                                                                                                  \
        .name = word, .type = KEYWORD_REFUSED, .common = tier, .help = why                                             \
    }

#endif
