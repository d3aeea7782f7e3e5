/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Findings about a configuration, collected while it is read and handed over once at the end, in the order of the file
 * and with an upper bound, so that the reader is told first what comes first.
 */
#ifndef EVENKEEL_CONFIG_REPORT_H
#define EVENKEEL_CONFIG_REPORT_H

#include <stdbool.h>

#include "config/config.h"
#include "config/place.h"
#include "config/xalloc.h"

#define REPORT_ERRORS_MAX 20    /* errors shown; how many more there are is said in one line */
#define REPORT_FINDINGS_MAX 500 /* kept for sorting; errors have REPORT_ERRORS_MAX places of their own beside these */
#define REPORT_QUOTE_MAX 96     /* room that report_quote needs */

struct finding;

/* Start with {0}. */
struct report {
    struct arena arena;
    struct finding *findings;
    unsigned finding_count;
    unsigned error_count;  /* also those that were not kept; tolerable findings count once report_settle was called */
    unsigned unkept_count; /* warnings for which there was no room */
    bool strict;           /* every warning is an error */
};

__attribute__((format(printf, 3, 4))) void report_error(struct report *report, struct place place, const char *format,
                                                        ...);
__attribute__((format(printf, 3, 4))) void report_warning(struct report *report, struct place place, const char *format,
                                                          ...);
/*
 * A warning of which a file may hold many: all of one `kind` (a text that lives as long) are one finding, that of the
 * first, with the lines of the others after its text: "it is skipped (lines 7, 8 too)".
 */
__attribute__((format(printf, 4, 5))) void report_kind(struct report *report, struct place place, const char *kind,
                                                       const char *format, ...);
/* The first of that kind; NULL: there is none. Valid until the next finding. */
const struct place *report_first_of_kind(const struct report *report, const char *kind);

/*
 * A fault that some readers of such files live with: report_settle says what it is, once it is known which language the
 * file is written in. `instead` (a literal) says what is done about it where it is tolerated.
 */
__attribute__((format(printf, 4, 5))) void report_tolerable(struct report *report, struct place place,
                                                            const char *instead, const char *format, ...);
/* Makes every tolerable finding so far a warning, or an error. Delivery takes what was not settled as errors. */
void report_settle(struct report *report, bool tolerate);

/* A word of the file in double quotes, fit for a terminal: control characters escaped, long ones cut. */
const char *report_quote(const char *text, char buffer[static REPORT_QUOTE_MAX]);

/* Hands the findings to `sink`, errors at most REPORT_ERRORS_MAX. Returns true when there was no error. */
bool report_deliver(struct report *report, config_report *sink, void *context);
void report_free(struct report *report);

#endif
