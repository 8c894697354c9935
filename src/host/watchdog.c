/* SPDX-License-Identifier: Apache-2.0 */
#include "host/watchdog.h"

#include <assert.h>
#include <stdatomic.h>
#include <stddef.h>

enum { IDLE = 0 }; /* no deadline; what a slot holds that was never used */

/* On a cache line of its own: each thread writes its slot at every step. */
struct slot {
    _Alignas(64) _Atomic(const char *) name; /* NULL: free */
    _Atomic unsigned number;
    _Atomic(const char *) step;
    _Atomic int64_t deadline_ms; /* IDLE, or CLOCK_MONOTONIC milliseconds */
};

static struct slot slots[WATCHDOG_THREADS_MAX];
static int64_t patience_ms; /* constant once watchdog_init has run */
static _Thread_local struct slot *mine;

void watchdog_init(int64_t patience)
{
    patience_ms = patience;
}

bool watchdog_is_on(void)
{
    return patience_ms > 0;
}

void watchdog_enter(const char *name, unsigned number)
{
    for (size_t i = 0; watchdog_is_on() && mine == NULL; i++) {
        const char *none = NULL;
        assert(i < WATCHDOG_THREADS_MAX);
        if (atomic_compare_exchange_strong(&slots[i].name, &none, name)) {
            mine = &slots[i];
            atomic_store(&mine->number, number);
        }
    }
    watchdog_idle();
}

void watchdog_leave(void)
{
    if (mine != NULL) {
        watchdog_idle();
        atomic_store(&mine->name, NULL);
        mine = NULL;
    }
}

void watchdog_expect_at(const char *step, int64_t limit_ms, int64_t now_ms)
{
    int64_t deadline_ms;
    if (mine == NULL) {
        return;
    }
    if (__builtin_add_overflow(now_ms, limit_ms, &deadline_ms) ||
        __builtin_add_overflow(deadline_ms, patience_ms, &deadline_ms)) {
        deadline_ms = CLOCK_NEVER;
    }
    atomic_store_explicit(&mine->step, step, memory_order_relaxed);
    atomic_store_explicit(&mine->deadline_ms, deadline_ms, memory_order_release);
}

void watchdog_idle(void)
{
    if (mine != NULL) {
        atomic_store_explicit(&mine->deadline_ms, IDLE, memory_order_release);
    }
}

bool watchdog_find_late(int64_t now_ms, struct watchdog_late *ret)
{
    struct watchdog_late found = {.late_ms = -1};
    for (size_t i = 0; i < WATCHDOG_THREADS_MAX; i++) {
        const char *name = atomic_load(&slots[i].name);
        int64_t deadline_ms = atomic_load_explicit(&slots[i].deadline_ms, memory_order_acquire);
        if (name == NULL || deadline_ms == IDLE || now_ms - deadline_ms <= found.late_ms) {
            continue;
        }
        found = (struct watchdog_late){
            .name = name,
            .number = atomic_load(&slots[i].number),
            .step = atomic_load_explicit(&slots[i].step, memory_order_relaxed),
            .late_ms = now_ms - deadline_ms,
        };
    }
    if (found.late_ms < 0) {
        return false;
    }
    *ret = found;
    return true;
}
