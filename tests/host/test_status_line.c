/* SPDX-License-Identifier: Apache-2.0 */
#include "host/upgrade/status_line.h"
#include "support/unit.h"

UNIT_TEST(test_at_most_once_a_second, "told at most once a second")
{
    struct progress progress;
    progress_init(&progress, 0, 100000, 5000);
    unsigned told = 0;
    int64_t last_ms = 5000;
    for (int64_t now_ms = 5001; now_ms <= 15000; now_ms++) {
        CHECK_ROW("now_ms = %lld", (long long)now_ms);
        if (progress_update(&progress, (uint64_t)(now_ms - 5000), 100000, now_ms)) {
            CHECK_COMPARE(now_ms - last_ms, >=, 1000);
            last_ms = now_ms;
            told++;
        }
    }
    CHECK_EQUAL(told, 10);
}

/* After the head of an answer nothing may come for long. */
UNIT_TEST(test_size_is_told_at_once, "the size is told at once")
{
    struct progress progress;
    progress_init(&progress, 0, 0, 5000);
    CHECK_FALSE(progress_update(&progress, 0, 0, 5000));
    CHECK_TRUE(progress_update(&progress, 0, 100, 5001));
    CHECK_FALSE(progress_update(&progress, 0, 100, 5002));
    CHECK_FALSE(progress_update(&progress, 1, 100, 6000));
    CHECK_TRUE(progress_update(&progress, 1, 200, 6000)); /* another mirror's file */
    CHECK_FALSE(progress_update(&progress, 2, 200, 6999));
    CHECK_TRUE(progress_update(&progress, 2, 200, 7000));
}

UNIT_TEST(test_only_when_it_changed, "told only when it changed")
{
    struct progress progress;
    progress_init(&progress, 50, 100, 0);
    CHECK_FALSE(progress_update(&progress, 50, 100, 5000));
    CHECK_FALSE(progress_update(&progress, 40, 100, 6000)); /* held at 50: nothing new */
    CHECK_TRUE(progress_update(&progress, 51, 100, 7000));
    CHECK_FALSE(progress_update(&progress, 51, 100, 9000));
    CHECK_FALSE(progress_update(&progress, 52, 100, 7999));
    CHECK_TRUE(progress_update(&progress, 52, 100, 8000)); /* what was held back is told later */
    CHECK_TRUE(progress_update(&progress, 52, 200, 9000));
}

UNIT_TEST(test_never_falls, "never falls, never above the total")
{
    static const struct {
        uint64_t done;
        uint64_t total;
        uint64_t told;
    } rows[] = {
        {10, 0, 10},   {30, 100, 30},   {0, 100, 30}, /* a server made it start again */
        {29, 100, 30}, {31, 100, 31},   {100, 100, 100},
        {0, 100, 100}, {400, 300, 300}, {0, 200, 200}, /* never above the total */
    };
    struct progress progress;
    progress_init(&progress, 0, 0, 0);
    CHECK_EACH(i, rows, "done %llu", (unsigned long long)rows[i].done) {
        (void)progress_update(&progress, rows[i].done, rows[i].total, (int64_t)i * 100);
        CHECK_EQUAL(progress.done, rows[i].told);
        CHECK_EQUAL(progress.total, rows[i].total);
    }
}

UNIT_TEST(test_rate_and_time_left, "rate and time left")
{
    struct progress progress;
    progress_init(&progress, 0, 1000000, 0);
    CHECK_EQUAL(progress.rate, PROGRESS_UNKNOWN);
    CHECK_EQUAL(progress_left(&progress), PROGRESS_UNKNOWN);
    (void)progress_update(&progress, 50000, 1000000, 999);
    CHECK_EQUAL(progress.rate, PROGRESS_UNKNOWN); /* not a second yet */
    (void)progress_update(&progress, 100000, 1000000, 1000);
    CHECK_EQUAL(progress.rate, 100000);
    CHECK_EQUAL(progress_left(&progress), 9);
    (void)progress_update(&progress, 300001, 1000000, 2000);
    CHECK_EQUAL(progress.rate, 125000); /* three quarters old, one quarter new */
    CHECK_EQUAL(progress_left(&progress), 6);
    for (int64_t second = 3; second < 200; second++) { /* a stall shows */
        (void)progress_update(&progress, 300001, 1000000, second * 1000);
    }
    CHECK_COMPARE(progress.rate, <, 10);
}

UNIT_TEST(test_rate_after_a_restart, "rate after starting again")
{
    struct progress progress;
    progress_init(&progress, 0, 1000000, 0);
    (void)progress_update(&progress, 500000, 1000000, 1000);
    (void)progress_update(&progress, 0, 1000000, 1500); /* from the start again */
    (void)progress_update(&progress, 500000, 1000000, 2500);
    CHECK_EQUAL(progress.rate, 500000);
    CHECK_EQUAL(progress.done, 500000);
}

UNIT_TEST(test_no_overflow, "the largest numbers")
{
    struct progress progress;
    progress_init(&progress, 0, UINT64_MAX, 0);
    CHECK_TRUE(progress_update(&progress, UINT64_MAX - 1, UINT64_MAX, 1000));
    CHECK_EQUAL(progress.rate, (UINT64_MAX - 1) / 1000 * 1000);
    CHECK_EQUAL(progress_left(&progress), 1);
    CHECK_EQUAL(progress_percent(PHASE_DOWNLOADING, UINT64_MAX - 1, UINT64_MAX), 99);
    CHECK_EQUAL(progress_percent(PHASE_INSTALLING, UINT64_MAX, UINT64_MAX), 100);
    CHECK_EQUAL(progress_percent(PHASE_DOWNLOADING, UINT64_MAX / 2, UINT64_MAX), 50);
}

UNIT_TEST(test_percent, "percent: 100 only at the end")
{
    static const struct {
        uint64_t done;
        uint64_t total;
        enum phase phase;
        unsigned percent;
    } rows[] = {
        {0, 0, PHASE_DOWNLOADING, 0},      {5, 0, PHASE_DOWNLOADING, 0},
        {0, 100, PHASE_DOWNLOADING, 0},    {999, 1000, PHASE_DOWNLOADING, 99},
        {100, 100, PHASE_DOWNLOADING, 99}, {100, 100, PHASE_VERIFYING, 99},
        {100, 100, PHASE_INSTALLING, 100}, {100, 100, PHASE_REBOOTING, 100},
        {100, 100, PHASE_UPGRADED, 100},   {100, 100, PHASE_FAILED, 99},
        {1, 3, PHASE_FAILED, 33},
    };
    CHECK_EACH(i, rows, "done %llu", (unsigned long long)rows[i].done) {
        CHECK_EQUAL(progress_percent(rows[i].phase, rows[i].done, rows[i].total), rows[i].percent);
    }
}

static struct upgrade_status status_of(enum phase phase, uint64_t done, uint64_t total)
{
    struct upgrade_status status = {
        .phase = (uint16_t)phase, .done = done, .total = total, .has_sha256 = true};
    for (unsigned i = 0; i < SHA256_SIZE; i++) {
        status.sha256[i] = (uint8_t)(i * 17);
    }
    return status;
}

UNIT_TEST(test_status_lines, "status lines")
{
    char line[STATUS_LINE_MAX];
    struct upgrade_status status = {.phase = PHASE_IDLE};
    status_line_format(&status, PROGRESS_UNKNOWN, PROGRESS_UNKNOWN, line);
    CHECK_STRING(line, "no upgrade");

    status = status_of(PHASE_QUEUED, 0, 0);
    status_line_format(&status, PROGRESS_UNKNOWN, PROGRESS_UNKNOWN, line);
    CHECK_STRING(line, "upgrade 001122334455: queued");

    status = status_of(PHASE_DOWNLOADING, 112721920, 268435456);
    status_line_format(&status, 47185920, 4, line);
    CHECK_STRING(line, "upgrade 001122334455: downloading, 41 %, 112721920 of 268435456 "
                       "bytes, 45.0 MiB/s, 4 s left");

    status = status_of(PHASE_DOWNLOADING, 77, 0);
    status_line_format(&status, PROGRESS_UNKNOWN, PROGRESS_UNKNOWN, line);
    CHECK_STRING(line, "upgrade 001122334455: downloading, 77 bytes");

    status = status_of(PHASE_INSTALLING, 100, 100);
    status_line_format(&status, 5, 5, line);
    CHECK_STRING(line, "upgrade 001122334455: installing, 100 %, 100 of 100 bytes");

    status = status_of(PHASE_FAILED, 100, 100); /* after 100 % nothing less is told */
    status.result = ERROR_REBOOT_FAILED;
    status_line_format(&status, PROGRESS_UNKNOWN, PROGRESS_UNKNOWN, line);
    CHECK_STRING(line, "upgrade 001122334455: failed, 100 of 100 bytes, reboot_failed");

    status = status_of(PHASE_FAILED, 0, 0);
    status.result = ERROR_HASH_MISMATCH;
    status.detail = text_of("it is another file");
    status_line_format(&status, PROGRESS_UNKNOWN, PROGRESS_UNKNOWN, line);
    CHECK_STRING(line, "upgrade 001122334455: failed, hash_mismatch: it is another file");
}

UNIT_TEST(test_long_status_line, "a status line is cut")
{
    static char detail[4000];
    char line[STATUS_LINE_MAX];
    memset(detail, 'x', sizeof detail - 1);
    struct upgrade_status status = status_of(PHASE_FAILED, 0, 0);
    status.detail = text_of(detail);
    status_line_format(&status, PROGRESS_UNKNOWN, PROGRESS_UNKNOWN, line);
    CHECK_EQUAL(strlen(line), STATUS_LINE_MAX - 1);
}

UNIT_MAIN("status_line")
