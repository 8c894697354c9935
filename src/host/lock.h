/* SPDX-License-Identifier: Apache-2.0 */
/* A mutex and a condition variable that clang's thread-safety analysis (-Wthread-safety) can follow.
 * Functions whose names end in _locked are declared REQUIRES_LOCK(...). Ranks are listed in main.c: a
 * thread that holds a lock takes only locks of a higher rank.
 *
 * Errors   a mutex that cannot be locked is a bug of ours: assert.
 */
#ifndef HOST_LOCK_H
#define HOST_LOCK_H

#include <assert.h>
#include <pthread.h>
#include <stdint.h>
#include <time.h>

#ifdef __clang__
#define LOCK_ATTRIBUTE(x) __attribute__((x))
#else
#define LOCK_ATTRIBUTE(x)
#endif
#define REQUIRES_LOCK(...) LOCK_ATTRIBUTE(requires_capability(__VA_ARGS__))

struct LOCK_ATTRIBUTE(capability("mutex")) lock {
    pthread_mutex_t mutex;
};

static inline void lock_init(struct lock *lock)
{
    int error = pthread_mutex_init(&lock->mutex, NULL);
    assert(error == 0);
    (void)error; /* NDEBUG */
}

static inline void lock_done(struct lock *lock)
{
    (void)pthread_mutex_destroy(&lock->mutex); /* fails only when held: a bug seen elsewhere */
}

static inline void lock_take(struct lock *lock) LOCK_ATTRIBUTE(acquire_capability(*lock))
    LOCK_ATTRIBUTE(no_thread_safety_analysis)
{
    int error = pthread_mutex_lock(&lock->mutex);
    assert(error == 0);
    (void)error;
}

static inline void lock_give(struct lock *lock) LOCK_ATTRIBUTE(release_capability(*lock))
    LOCK_ATTRIBUTE(no_thread_safety_analysis)
{
    int error = pthread_mutex_unlock(&lock->mutex);
    assert(error == 0);
    (void)error;
}

/* Waits on CLOCK_MONOTONIC conditions (signal_init) with the lock held before and after. */
static inline void signal_init(pthread_cond_t *signal)
{
    pthread_condattr_t attributes;
    int error = pthread_condattr_init(&attributes);
    assert(error == 0);
    error = pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    assert(error == 0);
    error = pthread_cond_init(signal, &attributes);
    assert(error == 0);
    (void)error;
    (void)pthread_condattr_destroy(&attributes); /* cannot fail on Linux */
}

static inline void signal_wait(pthread_cond_t *signal, struct lock *lock) REQUIRES_LOCK(*lock)
{
    int error = pthread_cond_wait(signal, &lock->mutex);
    assert(error == 0);
    (void)error;
}

/* As signal_wait, and returns at the deadline (CLOCK_MONOTONIC milliseconds) at the latest. */
static inline void signal_wait_until(pthread_cond_t *signal, struct lock *lock, int64_t deadline_ms)
    REQUIRES_LOCK(*lock)
{
    struct timespec at = {.tv_sec = (time_t)(deadline_ms / 1000),
                          .tv_nsec = (long)(deadline_ms % 1000) * 1000000L};
    (void)pthread_cond_timedwait(signal, &lock->mutex, &at); /* the caller looks at the clock */
}

#endif
