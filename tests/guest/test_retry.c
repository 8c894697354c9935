/* SPDX-License-Identifier: Apache-2.0 */
#include "compat/stream.h"
#include "support/unit.h"

#include <errno.h>

static void test_pauses_double_up_to_a_second(void)
{
    static const int64_t expected[] = {100, 200, 400, 800, 1000, 1000, 1000, 500};
    struct retry retry;
    int64_t pause_ms = 0;
    retry_init(&retry, 5000);
    CHECK_EACH(i, expected, "%lld", (long long)expected[i]) {
        REQUIRE_TRUE(retry_next(&retry, &pause_ms));
        CHECK_EQUAL(pause_ms, expected[i]);
    }
    pause_ms = 4711;
    CHECK_FALSE(retry_next(&retry, &pause_ms));
    CHECK_EQUAL(pause_ms, 4711);
}

static void test_no_limit_is_one_try(void)
{
    struct retry retry;
    int64_t pause_ms = 0;
    retry_init(&retry, 0);
    CHECK_FALSE(retry_next(&retry, &pause_ms));
}

static void test_tries_take_their_time(void)
{
    struct retry retry;
    int64_t pause_ms = 0;
    retry_init(&retry, 350);
    retry_spend(&retry, 200);
    CHECK_TRUE(retry_next(&retry, &pause_ms));
    CHECK_EQUAL(pause_ms, 100);
    CHECK_TRUE(retry_next(&retry, &pause_ms));
    CHECK_EQUAL(pause_ms, 50);
    retry_init(&retry, 350);
    retry_spend(&retry, INT64_MAX);
    CHECK_FALSE(retry_next(&retry, &pause_ms));
}

static void test_never_ends(void)
{
    struct retry retry;
    int64_t pause_ms = 0;
    retry_init(&retry, INT64_MAX);
    for (int i = 0; i < 1000; i++) {
        CHECK_ROW("i = %d", i);
        retry_spend(&retry, 1000);
        REQUIRE_TRUE(retry_next(&retry, &pause_ms));
    }
    CHECK_EQUAL(pause_ms, RETRY_LONGEST_MS);
}

static void test_failures_that_may_pass(void)
{
    static const int passing[] = {ECONNREFUSED, ECONNRESET,    ENODEV,
                                  ETIMEDOUT,    EADDRNOTAVAIL, EAGAIN};
    static const int lasting[] = {EACCES, EPERM, EAFNOSUPPORT, ENOTDIR, EINVAL, EMFILE, ENOMEM, 0};
    CHECK_EACH(i, passing, "%d", passing[i]) {
        CHECK_TRUE(retry_errno(passing[i], false));
        CHECK_TRUE(retry_errno(passing[i], true));
    }
    CHECK_EACH(i, lasting, "%d", lasting[i]) {
        CHECK_FALSE(retry_errno(lasting[i], false));
        CHECK_FALSE(retry_errno(lasting[i], true));
    }
    CHECK_TRUE(retry_errno(ENOENT, true));
    CHECK_FALSE(retry_errno(ENOENT, false));
}

static const struct unit_test tests[] = {
    {"pauses double up to a second", test_pauses_double_up_to_a_second},
    {"no limit is one try", test_no_limit_is_one_try},
    {"tries take their time", test_tries_take_their_time},
    {"never ends", test_never_ends},
    {"failures that may pass", test_failures_that_may_pass},
};

UNIT_MAIN("guest: retry", tests)
