/* SPDX-License-Identifier: Apache-2.0 */
#include "guest/screen.h"
#include "support/unit.h"

#include <stdio.h>

#define MIB ((uint64_t)1 << 20)

static struct upgrade_status status_of(unsigned phase, uint64_t done, uint64_t total)
{
    return (struct upgrade_status){.phase = (uint16_t)phase, .done = done, .total = total};
}

static void feed(struct progress *progress, unsigned phase, uint64_t done, uint64_t total,
                 int64_t now_ms)
{
    struct upgrade_status status = status_of(phase, done, total);
    progress_feed(progress, &status, now_ms);
}

static void check_line(const struct progress *progress, const char *expected)
{
    char line[PROGRESS_LINE_MAX];
    progress_text(progress, line);
    CHECK_STRING(line, expected);
}

static void check_bar(const struct progress *progress, unsigned columns, const char *expected)
{
    char line[PROGRESS_LINE_MAX];
    progress_bar(progress, columns, line);
    CHECK_EQUAL(strlen(line), columns);
    if (strcmp(line, expected) != 0) {
        fprintf(stderr, "got  '%s'\nwant '%s'\n", line, expected);
    }
    CHECK_STRING(line, expected);
}

UNIT_TEST(test_text, "text")
{
    struct progress progress = {0};
    feed(&progress, PHASE_QUEUED, 0, 0, 0);
    check_line(&progress, "queued");
    feed(&progress, PHASE_DOWNLOADING, 0, 0, 0);
    check_line(&progress, "downloading  0 B");
    feed(&progress, PHASE_DOWNLOADING, 512, 0, 1000);
    check_line(&progress, "downloading  512 B  512 B/s");
    feed(&progress, PHASE_DOWNLOADING, 1024, 2048, 2000);
    check_line(&progress, "downloading  50%  1.0 KiB of 2.0 KiB  512 B/s  0:02 left");
    feed(&progress, PHASE_DOWNLOADING, 2048, 2048, 4000);
    check_line(&progress, "downloading  99%  2.0 KiB of 2.0 KiB  512 B/s");
    feed(&progress, PHASE_VERIFYING, 2048, 2048, 4000);
    check_line(&progress, "verifying    99%  2.0 KiB of 2.0 KiB");
    feed(&progress, PHASE_INSTALLING, 2048, 2048, 4000);
    check_line(&progress, "installing");
    feed(&progress, PHASE_REBOOTING, 2048, 2048, 4000);
    check_line(&progress, "rebooting");
    feed(&progress, 99, 0, 0, 4000);
    check_line(&progress, "phase 99");
}

UNIT_TEST(test_bar, "bar")
{
    struct progress progress = {0};
    feed(&progress, PHASE_DOWNLOADING, 0, 256 * MIB, 0);
    feed(&progress, PHASE_DOWNLOADING, 64 * MIB, 256 * MIB, 2000);
    check_bar(&progress, 79,
              "downloading  25% [===>          ]  64.0 MiB of 256.0 MiB  32.0 MiB/s  0:06 left");
    check_bar(&progress, 60, "downloading  25%  64.0 MiB of 256.0 MiB  32.0 MiB/s         ");
    check_bar(&progress, 20, "downloading  25%    ");
    check_bar(&progress, 5, "downl");
    check_bar(&progress, 1, "d");
    feed(&progress, PHASE_DOWNLOADING, 256 * MIB, 256 * MIB, 8000);
    check_bar(&progress, 70,
              "downloading  99% [==============>]  256.0 MiB of 256.0 MiB  32.0 MiB/s");
}

UNIT_TEST(test_bar_is_never_wider_than_its_buffer, "a bar is never wider than its buffer")
{
    struct progress progress = {0};
    char line[PROGRESS_LINE_MAX];
    feed(&progress, PHASE_DOWNLOADING, 1, 2, 0);
    progress_bar(&progress, 5000, line);
    CHECK_EQUAL(strlen(line), PROGRESS_WIDTH_MAX);
    progress_bar(&progress, 0, line);
    CHECK_STRING(line, "");
}

UNIT_TEST(test_monotone, "monotone within a phase")
{
    struct progress progress = {0};
    feed(&progress, PHASE_DOWNLOADING, 0, 1000, 0);
    feed(&progress, PHASE_DOWNLOADING, 900, 1000, 1000);
    feed(&progress, PHASE_DOWNLOADING, 100, 1000, 2000);
    CHECK_EQUAL(progress.done, 900);
    feed(&progress, PHASE_VERIFYING, 100, 1000, 3000);
    CHECK_EQUAL(progress.done, 100);
}

UNIT_TEST(test_a_hundred_is_for_the_verified, "100 % is for the verified")
{
    struct progress progress = {0};
    char line[PROGRESS_LINE_MAX];
    feed(&progress, PHASE_DOWNLOADING, UINT64_MAX - 1, UINT64_MAX, 0);
    progress_text(&progress, line);
    CHECK_PREFIX(line, "downloading  99%");
    feed(&progress, PHASE_DOWNLOADING, UINT64_MAX, UINT64_MAX, 0);
    progress_text(&progress, line);
    CHECK_STRING(line, "downloading  99%  16.0 EiB of 16.0 EiB");
    /* More than there is: the host's mistake is not made larger. */
    progress = (struct progress){0};
    feed(&progress, PHASE_DOWNLOADING, UINT64_MAX, 1, 0);
    progress_text(&progress, line);
    CHECK_PREFIX(line, "downloading  99%");
}

UNIT_TEST(test_rate_and_time_left, "rate and time left")
{
    struct progress progress = {0};
    /* A resumed download does not count what was there before. */
    feed(&progress, PHASE_DOWNLOADING, 500 * MIB, 1000 * MIB, 0);
    CHECK_COMPARE(progress.rate, <=, 0);
    feed(&progress, PHASE_DOWNLOADING, 501 * MIB, 1000 * MIB, 10000);
    check_line(&progress, "downloading  50%  501.0 MiB of 1000.0 MiB  102.4 KiB/s  1:23:10 left");
    /* The same instant twice, and a clock that stands still, change nothing. */
    double rate = progress.rate;
    feed(&progress, PHASE_DOWNLOADING, 502 * MIB, 1000 * MIB, 10000);
    CHECK_COMPARE(progress.rate, >=, rate);
    CHECK_COMPARE(progress.rate, <=, rate);
    /* Days are no help to anybody. */
    progress = (struct progress){0};
    feed(&progress, PHASE_DOWNLOADING, 0, UINT64_MAX, 0);
    feed(&progress, PHASE_DOWNLOADING, 1, UINT64_MAX, 1000);
    check_line(&progress, "downloading   0%  1 B of 16.0 EiB  1 B/s");
}

UNIT_TEST(test_a_log_is_told_each_phase_and_each_tenth, "a log is told each phase and each tenth")
{
    struct progress progress = {0};
    feed(&progress, PHASE_QUEUED, 0, 0, 0);
    CHECK_TRUE(progress_due(&progress));
    feed(&progress, PHASE_QUEUED, 0, 0, 1000);
    CHECK_FALSE(progress_due(&progress));
    unsigned told = 0;
    for (uint64_t done = 0; done <= 1000; done++) {
        feed(&progress, PHASE_DOWNLOADING, done, 1000, (int64_t)done);
        told += progress_due(&progress) ? 1 : 0;
    }
    CHECK_EQUAL(told, 10);
    feed(&progress, PHASE_REBOOTING, 1000, 1000, 2000);
    CHECK_TRUE(progress_due(&progress));
}

UNIT_MAIN("guest: progress")
