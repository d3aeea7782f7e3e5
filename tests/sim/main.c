/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The simulator's command line:
 *
 *   sim                              the regressions, the scenarios, then every profile with its share of seeds
 *   sim --seeds FROM-TO | --seed N   only these seeds (of every profile, or of --profile NAME, or of --scenarios)
 *   sim --scenarios [NAME]           only the hand-made stories (whose name contains NAME), 5 seeds of each
 *   sim --trace [--unit U]           print what happens as it happens (with --seed)
 *   sim --regressions FILE           lines "profile seed # what it found" that are always run
 *   sim --expect-failure             succeed only if something fails (a core with a planted bug)
 *   sim --keep-going                 do not end at the first failure
 *   sim --list                       profiles, and the table of what is excused
 *
 * A failed CHECK in the core is a failure of that seed like any other.
 */
#include <inttypes.h>
#include <setjmp.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <time.h>

#include "base/check.h"
#include "sim.h"

#define DEFAULT_SEEDS 30
#define SCENARIO_SEEDS 5

struct options {
    const char *profile, *regressions, *scenario;
    uint64_t from, to;
    bool trace, expect_failure, keep_going, only_scenarios, list, seeds_given;
    int unit;
};

struct progress {
    uint64_t run, failed;
    time_t told;
};

/* Where a failed CHECK, which aborts, comes back to. */
static sigjmp_buf main_abort;

static void main_on_abort(int signal_number)
{
    (void)signal_number;
    siglongjmp(main_abort, 1);
}

static void main_catch_aborts(void)
{
    struct sigaction action = {.sa_handler = main_on_abort, .sa_flags = SA_NODEFER};

    sigaction(SIGABRT, &action, NULL);
}

static void main_tell(struct progress *progress, const char *profile)
{
    time_t now = time(NULL);

    progress->run++;
    if (now != progress->told) {
        progress->told = now;
        fprintf(stderr, "sim: %" PRIu64 " seeds, %" PRIu64 " failed, at %s\n", progress->run, progress->failed,
                profile);
    }
}

static bool main_run_seed(struct world *w, const struct profile *profile, uint64_t seed, struct progress *progress)
{
    if (sigsetjmp(main_abort, 1) == 0) {
        run_seed(w, profile, seed);
    } else {
        oracle_fail(w, "CHECK", SIM_UNITS_MAX, "the core aborted, see above");
    }
    bool good = !w->oracle.failed;
    progress->failed += good ? 0 : 1;
    main_tell(progress, profile->name);
    return good;
}

static void main_print_summary(const struct profile *profile, uint64_t seeds, const struct stats *s)
{
    printf("%-12s %5" PRIu64 " seeds %8" PRIu64 " s %8" PRIu64 " owner changes %9" PRIu64
           " packets  worst gap %6.1f ms  worst"
           " dual %7.1f ms (%" PRIu64 " excused)\n",
           profile->name, seeds, s->virtual_us / US_PER_S, s->owner_changes, s->packets, (double)s->worst_gap_us / 1000,
           (double)s->worst_dual_us / 1000, s->duals_excused);
    fflush(stdout);
}

static bool main_run_profile(struct world *w, const struct profile *profile, const struct options *o,
                             struct progress *progress)
{
    uint64_t count = o->to - o->from + 1;
    bool good = true;

    if (profile->seeds_percent != 0 && !o->seeds_given) {
        count = (count * profile->seeds_percent + 99) / 100;
    }
    w->stats = (struct stats){0};
    uint64_t done = 0;
    while (done < count && (good || o->keep_going)) {
        good = main_run_seed(w, profile, o->from + done++, progress) && good;
    }
    main_print_summary(profile, done, &w->stats);
    return good;
}

static bool main_run_profiles(struct world *w, const struct options *o, struct progress *progress)
{
    bool good = true;

    for (unsigned i = 0; i < profile_count && (good || o->keep_going); i++) {
        if (o->profile == NULL || strcmp(o->profile, profiles[i].name) == 0) {
            good = main_run_profile(w, &profiles[i], o, progress) && good;
        }
    }
    return good;
}

static bool main_run_regressions(struct world *w, const struct options *o, struct progress *progress)
{
    char line[256], name[32];
    uint64_t seed;
    bool good = true;
    FILE *file = fopen(o->regressions, "re");

    if (file == NULL) {
        perror(o->regressions);
        return false;
    }
    for (unsigned number = 1; fgets(line, sizeof(line), file) != NULL; number++) {
        line[strcspn(line, "#\n")] = '\0';
        if (line[strspn(line, " \t")] == '\0') {
            continue;
        }
        const struct profile *profile = sscanf(line, "%31s %" SCNu64, name, &seed) == 2 ? profile_find(name) : NULL;
        if (profile == NULL) {
            fprintf(stderr, "%s:%u: not a profile and a seed\n", o->regressions, number);
            good = false;
            continue;
        }
        good = main_run_seed(w, profile, seed, progress) && good;
    }
    fclose(file);
    return good;
}

static bool main_run_scenarios(struct world *w, const struct options *o, struct progress *progress)
{
    uint64_t from = o->seeds_given ? o->from : 1, to = o->seeds_given ? o->to : SCENARIO_SEEDS;
    unsigned count = 0;
    volatile unsigned failed = 1;

    if (sigsetjmp(main_abort, 1) == 0) {
        failed = scenario_run_all(w, o->scenario, from, to, &count);
    } else {
        oracle_fail(w, "CHECK", SIM_UNITS_MAX, "the core aborted, see above");
    }
    progress->run += count;
    progress->failed += failed;
    printf("%u scenarios, %u failed\n", count, failed);
    return failed == 0;
}

static void main_list(void)
{
    for (unsigned i = 0; i < profile_count; i++) {
        printf("%-12s %s\n", profiles[i].name, profiles[i].about);
    }
    putchar('\n');
    allowance_print(stdout);
}

static bool main_parse_seeds(const char *text, struct options *o)
{
    char *end;

    o->from = o->to = strtoull(text, &end, 10);
    if (*end == '-') {
        o->to = strtoull(end + 1, &end, 10);
    }
    o->seeds_given = true;
    return end != text && *end == '\0' && o->to >= o->from;
}

static bool main_parse_flag(const char *word, struct options *o)
{
    bool *flag = strcmp(word, "--trace") == 0            ? &o->trace
                 : strcmp(word, "--expect-failure") == 0 ? &o->expect_failure
                 : strcmp(word, "--keep-going") == 0     ? &o->keep_going
                 : strcmp(word, "--list") == 0           ? &o->list
                                                         : NULL;

    if (flag != NULL) {
        *flag = true;
    }
    return flag != NULL;
}

static bool main_parse(int argc, char **argv, struct options *o)
{
    for (int i = 1; i < argc; i++) {
        const char *value = i + 1 < argc ? argv[i + 1] : NULL;
        if (main_parse_flag(argv[i], o)) {
            continue;
        }
        if (strcmp(argv[i], "--scenarios") == 0) {
            o->only_scenarios = true;
            o->scenario = value != NULL && value[0] != '-' ? argv[++i] : NULL;
        } else if (value == NULL) {
            return false;
        } else if (strcmp(argv[i], "--seed") == 0 || strcmp(argv[i], "--seeds") == 0) {
            if (!main_parse_seeds(argv[++i], o)) {
                return false;
            }
        } else if (strcmp(argv[i], "--profile") == 0) {
            o->profile = argv[++i];
        } else if (strcmp(argv[i], "--unit") == 0) {
            o->unit = atoi(argv[++i]);
        } else if (strcmp(argv[i], "--regressions") == 0) {
            o->regressions = argv[++i];
        } else {
            return false;
        }
    }
    return o->profile == NULL || profile_find(o->profile) != NULL;
}

static bool main_run(struct world *w, const struct options *o, struct progress *progress)
{
    bool everything = !o->seeds_given && o->profile == NULL;

    if (o->regressions != NULL && !main_run_regressions(w, o, progress) && !o->keep_going) {
        return false;
    }
    if ((o->only_scenarios || everything) && !main_run_scenarios(w, o, progress) && !o->keep_going) {
        return false;
    }
    if (!o->only_scenarios && !main_run_profiles(w, o, progress) && !o->keep_going) {
        return false;
    }
    return progress->failed == 0;
}

int main(int argc, char **argv)
{
    struct options o = {.from = 1, .to = DEFAULT_SEEDS, .unit = -1};
    struct progress progress = {0};

    if (!main_parse(argc, argv, &o)) {
        fprintf(stderr,
                "usage: sim [--seeds FROM-TO | --seed N] [--profile NAME] [--scenarios [NAME]] [--regressions FILE]\n"
                "           [--trace [--unit U]] [--keep-going] [--expect-failure] [--list]\n");
        return EX_USAGE;
    }
    if (o.list) {
        main_list();
        return EXIT_SUCCESS;
    }
    struct world *w = world_new();
    w->trace.live = o.trace;
    w->trace.live_unit = o.unit;
    w->report = o.expect_failure ? NULL : stdout;
    main_catch_aborts();
    bool good = main_run(w, &o, &progress);
    world_free(w);
    if (o.expect_failure) {
        printf("planted bug %s\n%u passed, %u failed\n", good ? "NOT FOUND" : "found", good ? 0u : 1u, good ? 1u : 0u);
        return good ? EXIT_FAILURE : EXIT_SUCCESS;
    }
    printf("%" PRIu64 " passed, %" PRIu64 " failed\n", progress.run - progress.failed, progress.failed);
    return good ? EXIT_SUCCESS : EXIT_FAILURE;
}
