/* SPDX-License-Identifier: Apache-2.0 */
/* The reboot by command; logind is never asked here. */
#include "host/install/run.h"
#include "support/unit.h"

#include <string.h>
#include <time.h>

enum { FAR_MS = 100000, SOON_MS = 200 };

static struct install_failure failure;

/* The answer of install_reboot with this shell script as the command. */
static int ask(const char *script, int64_t limit_ms, uint64_t *reboot_at)
{
    static char program[] = "/bin/sh";
    static char option[] = "-c";
    static char text[256];
    static char *words[] = {program, option, text, NULL};
    struct conf conf = {.reboot = {.method = CONF_REBOOT_COMMAND,
                                   .delay_ms = 60000, /* logind's alone */
                                   .command = {words, 3}}};
    (void)snprintf(text, sizeof text, "%s", script);
    failure = (struct install_failure){.code = ERROR_NONE};
    return install_reboot(&conf, limit_ms, reboot_at, &failure);
}

UNIT_TEST(test_taken, "the command is taken")
{
    uint64_t at = 0;
    uint64_t before = (uint64_t)time(NULL);
    CHECK_EQUAL(ask("exit 0", FAR_MS, &at), 0);
    CHECK_COMPARE(at, >=, before);
    CHECK_COMPARE(at, <=, (uint64_t)time(NULL));
}

UNIT_TEST(test_refused, "the command fails")
{
    uint64_t at = 7;
    CHECK_EQUAL(ask("echo one; echo two >&2; exit 4", FAR_MS, &at), -1);
    CHECK_EQUAL(failure.code, ERROR_REBOOT_FAILED);
    CHECK_STRING(failure.text, "the reboot command /bin/sh exited with status 4: one | two");
    CHECK_EQUAL(at, 7);
    CHECK_EQUAL(ask("kill -9 $$", FAR_MS, &at), -1);
    CHECK_STRING(failure.text, "the reboot command /bin/sh was ended by signal 9 (SIGKILL)");
}

UNIT_TEST(test_hangs, "the command hangs")
{
    uint64_t at = 7;
    CHECK_EQUAL(ask("exec sleep 1000", SOON_MS, &at), -1);
    CHECK_EQUAL(failure.code, ERROR_REBOOT_FAILED);
    CHECK_STRING(failure.text,
                 "the reboot command /bin/sh timed out, killed by signal 15 (SIGTERM)");
    CHECK_EQUAL(at, 7);
}

UNIT_MAIN("install_reboot")
