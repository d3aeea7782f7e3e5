/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The thread, and what the loop sees of it: orders go in, reports come out, each list under one mutex that is never
 * held during a system call on netlink. The loop stages orders and hands them over as one batch; of each unit only the
 * newest counts. What is done with them is kernel_work.c's. Called by the daemon's worker.
 */
#include "platform/kernel.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/check.h"
#include "platform/clock.h"
#include "platform/kernel_work.h"
#include "platform/realtime.h"
#include "platform/thread.h"

#define STACK_BYTES (256 * 1024)
#define BREATH_US 50    /* between passes: others' turn on RTNL; who never waits loses its priority (realtime.h) */
#define REPORTS_KEPT 64 /* a burst's memory is given back when its reports were read */

struct order {
    bool set;
    uint8_t level; /* enum unit_level; not used for arming */
    uint32_t sequence;
};

struct orders {
    struct order *units; /* of all pools, one after the other */
    struct order *arms;  /* of each pool */
    bool any;
};

/* All that depends on the configuration; of a kernel that runs, and of the one that a reload has prepared. */
struct kernel_next {
    const struct config *config;
    struct handover map;
    unsigned unit_count;
    unsigned *first_unit;
    struct orders staged, handed;
    atomic_llong *unit_spoke_us;
    struct work work;
};

struct kernel {
    const struct config *config;
    unsigned unit_count;
    unsigned *first_unit; /* of each pool */
    pthread_t thread;
    int wake_fd;           /* orders wait, or the thread shall end */
    int report_fd;         /* reports wait */
    struct orders staged;  /* the loop's own */
    pthread_mutex_t mutex; /* guards the rest up to `work` */
    struct orders handed;
    bool closing;
    bool told;                     /* reports wait, and the loop knows */
    struct kernel_report *reports; /* a ring */
    unsigned report_first, report_count, report_capacity;
    int left_error;
    struct kernel_next *next; /* the thread shall pause for it, or has */
    bool dropping, paused;    /* what the next one has no place for is being removed; the thread waits */
    pthread_cond_t resumed;
    int priority;     /* real-time, of the thread; 0: none */
    struct work work; /* the thread's own */
    atomic_llong spoke_us[SETTINGS_POOLS_MAX];
    atomic_llong *unit_spoke_us; /* in step with `units` of `staged` */
};

static void wake(int fd)
{
    const uint64_t one = 1;

    /* Can only fail when the counter is full: then the other side is awake already. */
    (void)!write(fd, &one, sizeof(one));
}

static void awake(int fd)
{
    uint64_t count;

    (void)!read(fd, &count, sizeof(count));
}

static bool reports_grow(struct kernel *kernel)
{
    unsigned capacity = kernel->report_capacity ? kernel->report_capacity * 2 : 16;
    struct kernel_report *grown = malloc(capacity * sizeof(*grown));

    if (!grown)
        return false;
    for (unsigned i = 0; i < kernel->report_count; i++)
        grown[i] = kernel->reports[(kernel->report_first + i) % kernel->report_capacity];
    free(kernel->reports);
    kernel->reports = grown;
    kernel->report_capacity = capacity;
    kernel->report_first = 0;
    return true;
}

/* Under the mutex. */
static bool add_report(struct kernel *kernel, const struct kernel_report *report)
{
    if (kernel->report_count == kernel->report_capacity && !reports_grow(kernel))
        return false;
    kernel->reports[(kernel->report_first + kernel->report_count) % kernel->report_capacity] = *report;
    kernel->report_count++;
    return true;
}

/* A listener's `report`: called on the thread. */
static bool post(void *context, const struct kernel_report *report)
{
    struct kernel *kernel = context;

    pthread_mutex_lock(&kernel->mutex);
    bool room = add_report(kernel, report);

    pthread_mutex_unlock(&kernel->mutex);
    return room;
}

/* A listener's `told`: one turn of the loop takes all reports of a pass, not one each. */
static void tell(void *context)
{
    struct kernel *kernel = context;

    pthread_mutex_lock(&kernel->mutex);
    bool news = kernel->report_count > 0 && !kernel->told;

    kernel->told = kernel->told || news;
    pthread_mutex_unlock(&kernel->mutex);
    if (news)
        wake(kernel->report_fd);
}

bool kernel_next(struct kernel *kernel, struct kernel_report *report)
{
    pthread_mutex_lock(&kernel->mutex);
    bool found = kernel->report_count > 0;

    if (found) {
        *report = kernel->reports[kernel->report_first];
        kernel->report_first = (kernel->report_first + 1) % kernel->report_capacity;
        kernel->report_count--;
    } else {
        awake(kernel->report_fd);
        kernel->told = false;
        if (kernel->report_capacity > REPORTS_KEPT) {
            free(kernel->reports);
            kernel->reports = NULL;
            kernel->report_capacity = kernel->report_first = 0;
        }
    }
    pthread_mutex_unlock(&kernel->mutex);
    return found;
}

int kernel_fd(const struct kernel *kernel)
{
    return kernel->report_fd;
}

void kernel_want(struct kernel *kernel, unsigned pool, unsigned unit, enum unit_level level, uint32_t sequence)
{
    CHECK(pool < settings_all_count(&kernel->config->core) && unit < kernel->config->core.pools[pool].unit_count);
    kernel->staged.units[kernel->first_unit[pool] + unit] = (struct order){true, (uint8_t)level, sequence};
    kernel->staged.any = true;
}

void kernel_arm(struct kernel *kernel, unsigned pool, uint32_t sequence)
{
    CHECK(pool < kernel->config->core.pool_count);
    kernel->staged.arms[pool] = (struct order){.set = true, .sequence = sequence};
    kernel->staged.any = true;
}

void kernel_spoke(struct kernel *kernel, unsigned pool, struct mono when)
{
    CHECK(pool < kernel->config->core.pool_count);
    atomic_store(&kernel->spoke_us[pool], when.us);
}

void kernel_unit_spoke(struct kernel *kernel, unsigned pool, unsigned unit, struct mono when)
{
    CHECK(pool < settings_all_count(&kernel->config->core) && unit < kernel->config->core.pools[pool].unit_count);
    atomic_store(&kernel->unit_spoke_us[kernel->first_unit[pool] + unit], when.us);
}

static void move_orders(struct order *from, struct order *to, unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        if (from[i].set)
            to[i] = from[i];
        from[i].set = false;
    }
}

void kernel_commit(struct kernel *kernel)
{
    if (!kernel->staged.any)
        return;
    pthread_mutex_lock(&kernel->mutex);
    move_orders(kernel->staged.units, kernel->handed.units, kernel->unit_count);
    move_orders(kernel->staged.arms, kernel->handed.arms, kernel->config->core.pool_count);
    kernel->handed.any = true;
    pthread_mutex_unlock(&kernel->mutex);
    kernel->staged.any = false;
    wake(kernel->wake_fd);
}

/* Under the mutex: is there a reload whose pause is due, and begin it. */
static void begin_pause(struct kernel *kernel)
{
    if (kernel->next && !kernel->dropping)
        work_drop(&kernel->work, &kernel->next->work, &kernel->next->map);
    kernel->dropping = kernel->next != NULL;
}

/* Takes what was handed over; false when the thread shall end. */
static bool take_orders(struct kernel *kernel)
{
    pthread_mutex_lock(&kernel->mutex);
    bool closing = kernel->closing;

    for (unsigned i = 0; kernel->handed.any && i < kernel->unit_count; i++) {
        struct order *order = &kernel->handed.units[i];

        if (order->set)
            work_order(&kernel->work, i, (enum unit_level)order->level, order->sequence);
        order->set = false;
    }
    for (unsigned p = 0; kernel->handed.any && p < kernel->config->core.pool_count; p++) {
        struct order *order = &kernel->handed.arms[p];

        if (order->set)
            work_arm(&kernel->work, p, order->sequence);
        order->set = false;
    }
    kernel->handed.any = false;
    begin_pause(kernel);
    pthread_mutex_unlock(&kernel->mutex);
    return !closing;
}

static struct timespec wait_until(struct mono until)
{
    int64_t left_us = mono_is_never(until) ? 60 * US_PER_S : mono_diff_us(until, clock_now());

    left_us = left_us < BREATH_US ? BREATH_US : left_us > 60 * US_PER_S ? 60 * US_PER_S : left_us;
    return (struct timespec){.tv_sec = left_us / US_PER_S, .tv_nsec = left_us % US_PER_S * 1000};
}

/* Under the mutex, between two passes: nothing is left to drop, and the pause was not called off meanwhile. */
static bool may_pause(struct kernel *kernel)
{
    return kernel->dropping && !kernel->closing && work_is_dropped(&kernel->work);
}

/* Says so, and waits for kernel_go_on, kernel_resume or the end. */
static void pause_if_wanted(struct kernel *kernel)
{
    const struct kernel_report paused = {.kind = KERNEL_PAUSED, .unit = EFFECT_NO_UNIT};

    pthread_mutex_lock(&kernel->mutex);
    bool pauses = may_pause(kernel) && add_report(kernel, &paused);

    kernel->paused = pauses;
    pthread_mutex_unlock(&kernel->mutex);
    if (!pauses)
        return;
    tell(kernel);
    pthread_mutex_lock(&kernel->mutex);
    while (kernel->paused && !kernel->closing)
        pthread_cond_wait(&kernel->resumed, &kernel->mutex);
    kernel->dropping = false;
    pthread_mutex_unlock(&kernel->mutex);
    wake(kernel->wake_fd); /* to a pass under the new configuration at once */
}

static void *thread_main(void *context)
{
    struct kernel *kernel = context;
    struct pollfd fds[] = {
        {.fd = kernel->wake_fd, .events = POLLIN},
        {.fd = netlink_fd(kernel->work.netlink), .events = POLLIN},
        {.fd = filter_watch_fd(kernel->work.filter), .events = POLLIN},
    };

    if (kernel->priority > 0)
        (void)realtime_thread(kernel->priority);
    while (take_orders(kernel)) {
        const struct timespec wait = wait_until(work_pass(&kernel->work, clock_now()));

        pause_if_wanted(kernel);
        if (ppoll(fds, ARRAY_LENGTH(fds), &wait, NULL) > 0 && fds[0].revents)
            awake(kernel->wake_fd);
    }
    (void)realtime_thread(0);
    int error = work_leave(&kernel->work);

    pthread_mutex_lock(&kernel->mutex);
    kernel->left_error = error;
    pthread_mutex_unlock(&kernel->mutex);
    return NULL;
}

static void orders_free(struct orders *orders)
{
    free(orders->units);
    free(orders->arms);
}

static void kernel_free(struct kernel *kernel)
{
    if (kernel->wake_fd >= 0)
        close(kernel->wake_fd);
    if (kernel->report_fd >= 0)
        close(kernel->report_fd);
    pthread_cond_destroy(&kernel->resumed);
    pthread_mutex_destroy(&kernel->mutex);
    kernel_unprepare(kernel->next);
    free(kernel->first_unit);
    free(kernel->unit_spoke_us);
    orders_free(&kernel->staged);
    orders_free(&kernel->handed);
    free(kernel->reports);
    free(kernel);
}

static bool orders_allocate(struct orders *orders, unsigned units, unsigned pools)
{
    orders->units = calloc(units + 1, sizeof(*orders->units));
    orders->arms = calloc(pools + 1, sizeof(*orders->arms));
    return orders->units && orders->arms;
}

static int count_units(const struct config *config, unsigned **first_unit, unsigned *unit_count)
{
    unsigned pools = settings_all_count(&config->core);

    *first_unit = calloc(pools + 1, sizeof(**first_unit));
    if (!*first_unit)
        return -ENOMEM;
    for (unsigned p = 0; p < pools; p++) {
        (*first_unit)[p] = *unit_count;
        *unit_count += config->core.pools[p].unit_count;
    }
    return 0;
}

static int make_parts(struct kernel *kernel)
{
    unsigned pools = settings_all_count(&kernel->config->core);

    if (count_units(kernel->config, &kernel->first_unit, &kernel->unit_count) < 0 ||
        !orders_allocate(&kernel->staged, kernel->unit_count, pools) ||
        !orders_allocate(&kernel->handed, kernel->unit_count, pools))
        return -ENOMEM;
    kernel->unit_spoke_us = calloc(kernel->unit_count + 1, sizeof(*kernel->unit_spoke_us));
    if (!kernel->unit_spoke_us)
        return -ENOMEM;
    kernel->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    kernel->report_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    return kernel->wake_fd < 0 || kernel->report_fd < 0 ? -errno : 0;
}

int kernel_open(const struct config *config, unsigned number, struct kernel **out)
{
    struct kernel *kernel = calloc(1, sizeof(*kernel));

    if (!kernel)
        return -ENOMEM;
    kernel->config = config;
    kernel->wake_fd = kernel->report_fd = -1;
    /* A take-over is as urgent here as on the loop, which comes first all the same. */
    kernel->priority = realtime_is_on() ? WORK_PRIORITY : 0;
    pthread_mutex_init(&kernel->mutex, NULL);
    pthread_cond_init(&kernel->resumed, NULL);
    int error = make_parts(kernel);

    if (error == 0)
        error = work_init(&kernel->work, config, number, kernel->spoke_us, kernel->unit_spoke_us,
                          (struct work_listener){post, tell, kernel});
    if (error < 0) {
        kernel_free(kernel);
        return error;
    }
    error = thread_start(&kernel->thread, "kernel", STACK_BYTES, thread_main, kernel);
    if (error < 0) {
        work_free(&kernel->work);
        kernel_free(kernel);
        return error;
    }
    *out = kernel;
    return 0;
}

int kernel_close(struct kernel *kernel, unsigned timeout_ms)
{
    pthread_mutex_lock(&kernel->mutex);
    kernel->closing = true;
    pthread_cond_signal(&kernel->resumed);
    pthread_mutex_unlock(&kernel->mutex);
    wake(kernel->wake_fd);
    if (!thread_join(kernel->thread, timeout_ms))
        return -ETIMEDOUT;
    int error = kernel->left_error;

    work_free(&kernel->work);
    kernel_free(kernel);
    return error;
}

void kernel_unprepare(struct kernel_next *next)
{
    if (!next)
        return;
    work_free(&next->work);
    free(next->first_unit);
    free(next->unit_spoke_us);
    orders_free(&next->staged);
    orders_free(&next->handed);
    free(next);
}

int kernel_prepare(const struct config *config, const struct handover *map, struct kernel_next **out)
{
    struct kernel_next *next = calloc(1, sizeof(*next));

    if (!next)
        return -ENOMEM;
    next->config = config;
    next->map = *map;
    if (work_prepare(&next->work, config) < 0 || count_units(config, &next->first_unit, &next->unit_count) < 0 ||
        !orders_allocate(&next->staged, next->unit_count, settings_all_count(&config->core)) ||
        !orders_allocate(&next->handed, next->unit_count, settings_all_count(&config->core)) ||
        !(next->unit_spoke_us = calloc(next->unit_count + 1, sizeof(*next->unit_spoke_us)))) {
        kernel_unprepare(next);
        return -ENOMEM;
    }
    *out = next;
    return 0;
}

void kernel_pause(struct kernel *kernel, struct kernel_next *next)
{
    pthread_mutex_lock(&kernel->mutex);
    kernel->next = next;
    pthread_mutex_unlock(&kernel->mutex);
    wake(kernel->wake_fd);
}

void kernel_resume(struct kernel *kernel)
{
    pthread_mutex_lock(&kernel->mutex);
    struct kernel_next *next = kernel->next;

    kernel->next = NULL;
    kernel->dropping = kernel->paused = false;
    pthread_cond_signal(&kernel->resumed);
    pthread_mutex_unlock(&kernel->mutex);
    wake(kernel->wake_fd);
    kernel_unprepare(next);
}

static void swap_orders(struct orders *a, struct orders *b)
{
    struct orders other = *a;

    *a = *b;
    *b = other;
}

static void carry_unit_spoken(const struct kernel *kernel, struct kernel_next *next, unsigned pool)
{
    const atomic_llong *old = kernel->unit_spoke_us + kernel->first_unit[next->map.old_pool[pool]];

    for (unsigned u = 0; u < next->config->core.pools[pool].unit_count; u++)
        if (next->map.old_unit[pool][u] != HANDOVER_NONE)
            atomic_store(&next->unit_spoke_us[next->first_unit[pool] + u],
                         atomic_load(&old[next->map.old_unit[pool][u]]));
}

static void carry_spoken(struct kernel *kernel, struct kernel_next *next)
{
    long long spoke_us[SETTINGS_POOLS_MAX] = {0};

    for (unsigned p = 0; p < settings_all_count(&next->config->core); p++) {
        if (next->map.old_pool[p] == HANDOVER_NONE)
            continue;
        spoke_us[p] = atomic_load(&kernel->spoke_us[next->map.old_pool[p]]);
        carry_unit_spoken(kernel, next, p);
    }
    for (unsigned p = 0; p < SETTINGS_POOLS_MAX; p++)
        atomic_store(&kernel->spoke_us[p], spoke_us[p]);
}

void kernel_go_on(struct kernel *kernel)
{
    pthread_mutex_lock(&kernel->mutex);
    struct kernel_next *next = kernel->next;

    CHECK(kernel->paused && next);
    work_take_over(&next->work, &kernel->work, &next->map);
    carry_spoken(kernel, next);
    struct work old = kernel->work;
    unsigned *first_unit = kernel->first_unit;
    atomic_llong *unit_spoke_us = kernel->unit_spoke_us;

    kernel->work = next->work;
    next->work = old;
    kernel->first_unit = next->first_unit;
    next->first_unit = first_unit;
    kernel->unit_spoke_us = next->unit_spoke_us;
    next->unit_spoke_us = unit_spoke_us;
    kernel->work.unit_spoke_us = kernel->unit_spoke_us;
    kernel->unit_count = next->unit_count;
    kernel->config = next->config;
    swap_orders(&kernel->staged, &next->staged);
    swap_orders(&kernel->handed, &next->handed);
    kernel->next = NULL;
    kernel->paused = false;
    pthread_cond_signal(&kernel->resumed);
    pthread_mutex_unlock(&kernel->mutex);
    kernel_unprepare(next);
}
