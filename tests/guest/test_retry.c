/* SPDX-License-Identifier: Apache-2.0 */
#include "compat/stream.h"
#include "support/unit.h"

#include <errno.h>

UNIT_TEST(test_pauses_double_up_to_a_second, "pauses double up to a second")
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

UNIT_TEST(test_no_limit_is_one_try, "no limit is one try")
{
    struct retry retry;
    int64_t pause_ms = 0;
    retry_init(&retry, 0);
    CHECK_FALSE(retry_next(&retry, &pause_ms));
}

UNIT_TEST(test_tries_take_their_time, "tries take their time")
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

UNIT_TEST(test_never_ends, "never ends")
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

UNIT_TEST(test_failures_that_may_pass, "failures that may pass")
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

UNIT_MAIN("guest: retry")
