/* SPDX-License-Identifier: Apache-2.0 */
/* A reload: keys that are taken at the start alone keep their values, and are named; all others
 * follow the file. */
#include "host/conf/conf_table.h"
#include "host/test_conf_support.h"
#include "support/unit.h"

#include <stdlib.h>
#include <string.h>

/* A value of each key that is not its default. */
static const struct {
    const char *section;
    const char *name;
    const char *value;
} changes[] = {
    {"listen", "address", "unix:/run/other.sock vsock:any:4"},
    {"listen", "allowed_cids", "3 4"},
    {"listen", "commands", "notify"},
    {"listen", "unix_cid", "4"},
    {"listen", "unix_mode", "0660"},
    {"listen", "unix_uids", "7"},
    {"limits", "workers", "5"},
    {"limits", "queue", "65"},
    {"limits", "connections", "255"},
    {"limits", "connections_per_cid", "63"},
    {"limits", "first_frame_seconds", "6"},
    {"limits", "frame_seconds", "6"},
    {"limits", "idle_seconds", "31"},
    {"limits", "send_seconds", "6"},
    {"limits", "request_bytes", "16385"},
    {"console", "devices", "/dev/tty2"},
    {"console", "max_repeats", "11"},
    {"console", "interval_seconds", "0.5"},
    {"console", "queue", "17"},
    {"console", "skip_while_running", ""},
    {"version", "file", "/version"},
    {"steps", "method", "unit"},
    {"steps", "install_program", "/i"},
    {"steps", "hsm_program", "/h"},
    {"hsm", "uri", "test:///default"},
    {"hsm", "domain", "by-cid"},
    {"hsm", "vendor", "0x1"},
    {"hsm", "product", "0x1"},
    {"hsm", "timeout_seconds", "21"},
    {"upgrade", "directory", "/u"},
    {"upgrade", "schemes", "https"},
    {"upgrade", "allowed_prefixes", "https://a.example/"},
    {"upgrade", "refused_addresses", "private"},
    {"upgrade", "ca_file", "/ca"},
    {"upgrade", "max_bytes", "1M"},
    {"upgrade", "keep_free", "2G"},
    {"upgrade", "max_redirects", "6"},
    {"upgrade", "retries", "6"},
    {"upgrade", "retry_seconds", "3"},
    {"upgrade", "connect_seconds", "31"},
    {"upgrade", "stall_seconds", "31"},
    {"upgrade", "stall_bytes_per_second", "1025"},
    {"upgrade", "queue", "2"},
    {"upgrade", "watchers", "33"},
    {"install", "directory", "/i"},
    {"install", "installer", "/installer --now"},
    {"install", "installer_seconds", "1801"},
    {"install", "allowed_hashes", "/hashes"},
    {"reboot", "method", "command\ncommand = /reboot"},
    {"reboot", "delay_seconds", "61"},
    {"reboot", "command", "/reboot"},
    {"guest_upgrade", "unit", "other.service"},
    {"metrics", "textfile", "/metrics.prom"},
};
enum { CHANGES = COUNT(changes) };

static char told[256];

static void tell(const char *section, const char *name)
{
    size_t used = strlen(told);
    snprintf(told + used, sizeof told - used, "[%s] %s;", section, name);
}

/* main.conf with the one change, or the defaults. */
static struct conf *load(size_t change)
{
    char text[512] = "";
    if (change < CHANGES) {
        snprintf(text, sizeof text, "[%s]\n%s = %s\n", changes[change].section,
                 changes[change].name, changes[change].value);
    }
    sandbox_write("main.conf", text);
    told[0] = '\0';
    return sandbox_load();
}

static void expect_dump(const struct conf *conf, const struct conf *wanted, bool same)
{
    char *is = sandbox_dump(conf);
    char *should = sandbox_dump(wanted);
    CHECK_EQUAL(strcmp(is, should) == 0, same);
    free(is);
    free(should);
}

UNIT_TEST(test_each_key, "each key is taken, or kept and named")
{
    sandbox_enter();
    CHECK_EQUAL(CHANGES, conf_keys_count);
    for (size_t i = 0; i < CHANGES; i++) {
        CHECK_ROW("i = %zu", i);
        const struct conf_key *key = conf_key_find(changes[i].section, changes[i].name);
        char expected[128] = "";
        REQUIRE_NOT_NULL(key);
        bool kept = key != NULL && key->restart;
        if (kept) {
            snprintf(expected, sizeof expected, "[%s] %s;", changes[i].section, changes[i].name);
        }
        struct conf *wanted = load(i);
        struct conf *fresh = load(i);
        struct conf *now = load(CHANGES);
        CHECK_FALSE(conf_same(now, fresh));
        CHECK_EQUAL(conf_carry_over(now, fresh, tell), 0);
        CHECK_STRING(told, expected);
        CHECK_EQUAL(conf_same(now, fresh), kept);
        expect_dump(fresh, kept ? now : wanted, true);
        expect_dump(wanted, now, false);
        conf_free(wanted);
        conf_free(fresh);
        conf_free(now);
    }
    sandbox_leave();
}

/* What was kept stands on its own feet: the one before may be freed. */
UNIT_TEST(test_kept_values_are_copies, "values that are kept are copies")
{
    sandbox_enter();
    struct conf *now = load(0);
    struct conf *fresh = load(CHANGES);
    CHECK_EQUAL(conf_carry_over(now, fresh, tell), 0);
    conf_free(now);
    REQUIRE_EQUAL(fresh->listen.address.count, 2);
    CHECK_STRING(fresh->listen.address.items[0], "unix:/run/other.sock");
    CHECK_NULL(fresh->listen.address.items[2]);
    conf_free(fresh);
    sandbox_leave();
}

UNIT_TEST(test_nothing_changed, "nothing changed")
{
    sandbox_enter();
    struct conf *now = load(CHANGES);
    struct conf *fresh = load(CHANGES);
    CHECK_TRUE(conf_same(now, fresh));
    CHECK_EQUAL(conf_carry_over(now, fresh, tell), 0);
    CHECK_STRING(told, "");
    conf_free(now);
    conf_free(fresh);
    sandbox_leave();
}

UNIT_MAIN("conf_keep")
