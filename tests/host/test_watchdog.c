/* SPDX-License-Identifier: Apache-2.0 */
/* Which thread is late, with the time passed in. */
#include "host/watchdog.h"
#include "support/unit.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>

enum { PATIENCE_MS = 100, NOW_MS = 5000 };

static struct watchdog_late late;

static bool is_late(int64_t now_ms)
{
    return watchdog_find_late(now_ms, &late);
}

UNIT_TEST(test_off, "without a watchdog nothing is watched")
{
    watchdog_init(0);
    CHECK_FALSE(watchdog_is_on());
    watchdog_enter("nobody", 0);
    watchdog_expect_at("anything", 0, 0);
    CHECK_FALSE(is_late(INT64_MAX));
    watchdog_leave();
}

UNIT_TEST(test_both_sides_of_a_deadline, "both sides of a deadline")
{
    watchdog_init(PATIENCE_MS);
    watchdog_enter("worker", 3);
    CHECK_FALSE(is_late(INT64_MAX)); /* it has begun nothing yet */
    watchdog_expect_at("a request", WATCHDOG_QUICK, NOW_MS);
    CHECK_FALSE(is_late(NOW_MS + PATIENCE_MS - 1));
    CHECK_TRUE(is_late(NOW_MS + PATIENCE_MS));
    CHECK_STRING(late.name, "worker");
    CHECK_EQUAL(late.number, 3);
    CHECK_STRING(late.step, "a request");
    CHECK_EQUAL(late.late_ms, 0);
    watchdog_expect_at("a file", WATCHDOG_DISK_MS, NOW_MS);
    CHECK_FALSE(is_late(NOW_MS + PATIENCE_MS));
    CHECK_FALSE(is_late(NOW_MS + WATCHDOG_DISK_MS + PATIENCE_MS - 1));
    CHECK_TRUE(is_late(NOW_MS + WATCHDOG_DISK_MS + PATIENCE_MS + 7));
    CHECK_STRING(late.step, "a file");
    CHECK_EQUAL(late.late_ms, 7);
    watchdog_leave();
}

UNIT_TEST(test_idle_and_gone_are_never_late, "who is idle or gone is never late")
{
    watchdog_init(PATIENCE_MS);
    watchdog_enter("job", 0);
    watchdog_expect_at("an upgrade", WATCHDOG_QUICK, NOW_MS);
    watchdog_idle();
    CHECK_FALSE(is_late(INT64_MAX));
    watchdog_expect_at("an upgrade", WATCHDOG_QUICK, NOW_MS);
    watchdog_leave();
    CHECK_FALSE(is_late(INT64_MAX));
    watchdog_expect_at("after it left", WATCHDOG_QUICK, NOW_MS);
    CHECK_FALSE(is_late(INT64_MAX));
}

UNIT_TEST(test_limit_without_end, "a limit that never comes")
{
    watchdog_init(PATIENCE_MS);
    watchdog_enter("job", 0);
    watchdog_expect_at("for ever", CLOCK_NEVER, NOW_MS);
    CHECK_FALSE(is_late(INT64_MAX - 1));
    watchdog_expect_at("nearly", CLOCK_NEVER - NOW_MS - 1, NOW_MS); /* with the patience too long */
    CHECK_FALSE(is_late(INT64_MAX - 1));
    watchdog_leave();
}

struct other {
    pthread_barrier_t begun, seen;
};

static void *run_other(void *context)
{
    struct other *other = context;
    watchdog_enter("console", 0);
    watchdog_expect_at("writing", WATCHDOG_QUICK, NOW_MS - 50);
    pthread_barrier_wait(&other->begun);
    pthread_barrier_wait(&other->seen);
    watchdog_leave();
    return NULL;
}

UNIT_TEST(test_the_latest_of_two, "of two the one that is most late")
{
    struct other other;
    pthread_t thread;
    watchdog_init(PATIENCE_MS);
    REQUIRE_EQUAL(pthread_barrier_init(&other.begun, NULL, 2), 0);
    REQUIRE_EQUAL(pthread_barrier_init(&other.seen, NULL, 2), 0);
    watchdog_enter("acceptor", 0);
    watchdog_expect_at("events", WATCHDOG_QUICK, NOW_MS);
    REQUIRE_EQUAL(pthread_create(&thread, NULL, run_other, &other), 0);
    pthread_barrier_wait(&other.begun);
    CHECK_FALSE(is_late(NOW_MS + PATIENCE_MS - 51));
    CHECK_TRUE(is_late(NOW_MS + PATIENCE_MS - 50)); /* one of them alone */
    CHECK_STRING(late.name, "console");
    CHECK_TRUE(is_late(NOW_MS + PATIENCE_MS + 1));
    CHECK_STRING(late.name, "console");
    CHECK_EQUAL(late.late_ms, 51);
    pthread_barrier_wait(&other.seen);
    REQUIRE_EQUAL(pthread_join(thread, NULL), 0);
    CHECK_TRUE(is_late(NOW_MS + PATIENCE_MS + 1)); /* the other has left */
    CHECK_STRING(late.name, "acceptor");
    watchdog_leave();
    pthread_barrier_destroy(&other.begun);
    pthread_barrier_destroy(&other.seen);
}

static void *enter_and_leave(void *context)
{
    struct other *other = context;
    watchdog_enter("worker", 1);
    pthread_barrier_wait(&other->begun);
    pthread_barrier_wait(&other->seen);
    watchdog_leave();
    return NULL;
}

/* As many as there may be, twice: what they leave is free again. */
UNIT_TEST(test_all_slots, "as many threads as there may be")
{
    struct other other;
    pthread_t threads[WATCHDOG_THREADS_MAX];
    watchdog_init(PATIENCE_MS);
    for (int turn = 0; turn < 2; turn++) {
        CHECK_ROW("turn = %d", turn);
        REQUIRE_EQUAL(pthread_barrier_init(&other.begun, NULL, WATCHDOG_THREADS_MAX + 1), 0);
        REQUIRE_EQUAL(pthread_barrier_init(&other.seen, NULL, WATCHDOG_THREADS_MAX + 1), 0);
        for (int i = 0; i < WATCHDOG_THREADS_MAX; i++) {
            CHECK_ROW("i = %d", i);
            REQUIRE_EQUAL(pthread_create(&threads[i], NULL, enter_and_leave, &other), 0);
        }
        pthread_barrier_wait(&other.begun);
        CHECK_FALSE(is_late(INT64_MAX));
        pthread_barrier_wait(&other.seen);
        for (int i = 0; i < WATCHDOG_THREADS_MAX; i++) {
            CHECK_ROW("i = %d", i);
            REQUIRE_EQUAL(pthread_join(threads[i], NULL), 0);
        }
        pthread_barrier_destroy(&other.begun);
        pthread_barrier_destroy(&other.seen);
    }
}

UNIT_MAIN("watchdog")
