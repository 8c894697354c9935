/* SPDX-License-Identifier: Apache-2.0 */
/* Every key's range from both sides, every list's length, every kind of value and its error. */
#include "host/conf/conf_table.h"
#include "host/policy/address_class.h"
#include "host/test_conf_support.h"
#include "support/unit.h"
#include "wire/message.h"

#include <stdlib.h>
#include <string.h>

/* --- ranges --- */

static const struct {
    const char *section;
    const char *key;
    const char *below;
    const char *min;
    const char *max;
    const char *above;
    const char *allowed;
} ranges[] = {
    {"listen", "unix_cid", "-1", "0", "4294967294", "4294967295",
     "a whole number from 0 to 4294967294"},
    {"listen", "unix_mode", "-1", "0", "0777", "1000", "an octal mode from 0000 to 0777"},
    {"limits", "workers", "0", "1", "64", "65", "a whole number from 1 to 64"},
    {"limits", "queue", "0", "1", "4096", "4097", "a whole number from 1 to 4096"},
    {"limits", "connections", "0", "1", "4096", "4097", "a whole number from 1 to 4096"},
    {"limits", "connections_per_cid", "0", "1", "256", "4097", "a whole number from 1 to 4096"},
    {"limits", "first_frame_seconds", "0.099", "0.1", "600", "600.001", "seconds from 0.1 to 600"},
    {"limits", "frame_seconds", "0.099", "0.1", "600", "600.001", "seconds from 0.1 to 600"},
    {"limits", "idle_seconds", "0.099", "0.1", "86400", "86400.001", "seconds from 0.1 to 86400"},
    {"limits", "send_seconds", "0.099", "0.1", "600", "600.001", "seconds from 0.1 to 600"},
    {"limits", "request_bytes", "4351", "4352", "65536", "65537",
     "a whole number from 4352 to 65536"},
    {"console", "max_repeats", "0", "1", "1000", "1001", "a whole number from 1 to 1000"},
    {"console", "interval_seconds", "-1", "0", "3600", "3600.001", "seconds from 0 to 3600"},
    {"console", "queue", "0", "1", "1024", "1025", "a whole number from 1 to 1024"},
    {"hsm", "vendor", "0x0", "0x1", "0xffff", "0x10000",
     "a hexadecimal number from 0x0001 to 0xffff"},
    {"hsm", "product", "-0x1", "0x0", "0xFFFF", "0x10000",
     "a hexadecimal number from 0x0000 to 0xffff"},
    {"hsm", "timeout_seconds", "0.999", "1", "600", "600.001", "seconds from 1 to 600"},
    {"upgrade", "max_bytes", "1023", "1K", "16T", "17592186044417",
     "bytes, or K, M, G, T of them, from 1K to 16T"},
    {"upgrade", "keep_free", "-1", "0", "16T", "17T",
     "bytes, or K, M, G, T of them, from 0 to 16T"},
    {"upgrade", "max_redirects", "-1", "0", "20", "21", "a whole number from 0 to 20"},
    {"upgrade", "retries", "-1", "0", "100", "101", "a whole number from 0 to 100"},
    {"upgrade", "retry_seconds", "0.009", "0.01", "60", "60.001", "seconds from 0.01 to 60"},
    {"upgrade", "connect_seconds", "0.099", "0.1", "600", "600.001", "seconds from 0.1 to 600"},
    {"upgrade", "stall_seconds", "0.999", "1", "3600", "3600.001", "seconds from 1 to 3600"},
    {"upgrade", "stall_bytes_per_second", "0", "1", "1G", "1025M",
     "bytes, or K, M, G, T of them, from 1 to 1G"},
    {"upgrade", "queue", "-1", "0", "16", "17", "a whole number from 0 to 16"},
    {"upgrade", "watchers", "0", "1", "4096", "4097", "a whole number from 1 to 4096"},
    {"install", "installer_seconds", "0.999", "1", "86400", "86400.001", "seconds from 1 to 86400"},
    {"reboot", "delay_seconds", "-1", "0", "86400", "86400.001", "seconds from 0 to 86400"},
};

static const char *try_value(const char *section, const char *key, const char *value)
{
    char text[512];
    snprintf(text, sizeof text, "[%s]\n%s = %s\n", section, key, value);
    return sandbox_problem(text);
}

static void check_refused(size_t i, const char *value)
{
    char expected[512];
    snprintf(expected, sizeof expected, "main.conf:2: [%s] %s = %s: allowed: %s", ranges[i].section,
             ranges[i].key, value, ranges[i].allowed);
    CHECK_STRING(try_value(ranges[i].section, ranges[i].key, value), expected);
}

UNIT_TEST(test_ranges, "every range, from both sides")
{
    sandbox_enter();
    CHECK_EACH(i, ranges, "%s", ranges[i].key) {
        check_refused(i, ranges[i].below);
        check_refused(i, ranges[i].above);
        CHECK_STRING(try_value(ranges[i].section, ranges[i].key, ranges[i].min), "");
        CHECK_STRING(try_value(ranges[i].section, ranges[i].key, ranges[i].max), "");
    }
    sandbox_leave();
}

static bool has_row(const struct conf_key *key)
{
    for (size_t i = 0; i < COUNT(ranges); i++) {
        if (strcmp(ranges[i].section, key->section) == 0 && strcmp(ranges[i].key, key->name) == 0) {
            return true;
        }
    }
    return false;
}

UNIT_TEST(test_every_range_has_a_row, "every range has a row here")
{
    for (size_t i = 0; i < conf_keys_count; i++) {
        CHECK_ROW("%s", conf_keys[i].name);
        const struct conf_key *key = &conf_keys[i];
        CHECK_TRUE(key->kind->list || key->max == 0 || has_row(key));
    }
}

/* --- lengths of lists --- */

static const struct {
    const char *section;
    const char *key;
    const char *word; /* %u makes words differ */
    unsigned min_count;
    unsigned max_count;
    const char *allowed;
} lists[] = {
    {"listen", "address", "unix:/s%u", 1, 16,
     "1 to 16 addresses, none twice: vsock:any:PORT, vsock:CID:PORT or unix:/PATH"},
    {"listen", "allowed_cids", "%u", 1, 64, "1 to 64 numbers from 0 to 4294967295"},
    {"listen", "unix_uids", "%u", 0, 64, "at most 64 numbers from 0 to 4294967294"},
    {"console", "devices", "/dev/x%u", 0, 16, "at most 16 absolute paths"},
    {"console", "skip_while_running", "w%u", 0, 16, "at most 16 words"},
    {"upgrade", "allowed_prefixes", "https://h%u/", 0, 64,
     "at most 64 beginnings of URLs, such as https://HOST/PATH"},
    {"install", "installer", "/i%u", 1, 16, "1 to 16 words, the first one an absolute path"},
    {"reboot", "command", "/c%u", 0, 16, "at most 16 words, the first one an absolute path"},
};

static const char *format_word(size_t i, unsigned n, char out[64])
{
    const char *percent = strstr(lists[i].word, "%u");
    snprintf(out, 64, "%.*s%u%s", (int)(percent - lists[i].word), lists[i].word, n, percent + 2);
    return out;
}

/* One word to a line, so that no line is too long. */
static const char *try_words(size_t i, unsigned count)
{
    char text[8192];
    int length = snprintf(text, sizeof text, "[%s]\n%s =\n", lists[i].section, lists[i].key);
    for (unsigned n = 0; n < count; n++) {
        char word[64];
        length += snprintf(text + length, sizeof text - (size_t)length, "%s = %s\n", lists[i].key,
                           format_word(i, n, word));
    }
    return sandbox_problem(text);
}

UNIT_TEST(test_lengths, "every list, too short and too long")
{
    sandbox_enter();
    CHECK_EACH(i, lists, "%s", lists[i].key) {
        char expected[512];
        char word[64];
        CHECK_STRING(try_words(i, lists[i].max_count), "");
        format_word(i, lists[i].max_count, word);
        snprintf(expected, sizeof expected, "main.conf:%u: [%s] %s = %s: \"%s\": allowed: %s",
                 lists[i].max_count + 3, lists[i].section, lists[i].key, word, word,
                 lists[i].allowed);
        CHECK_STRING(try_words(i, lists[i].max_count + 1), expected);
        snprintf(expected, sizeof expected, "main.conf:2: [%s] %s = : allowed: %s",
                 lists[i].section, lists[i].key, lists[i].allowed);
        CHECK_STRING(try_words(i, 0), lists[i].min_count == 0 ? "" : expected);
        CHECK_STRING(try_words(i, 1), "");
    }
    sandbox_leave();
}

/* --- values that are refused, by kind --- */

static const struct {
    const char *section;
    const char *key;
    const char *value;
    const char *problem;
} refused[] = {
    {"limits", "workers", "four", "allowed: a whole number from 1 to 64"},
    {"limits", "workers", "", "allowed: a whole number from 1 to 64"},
    {"limits", "workers", "4 5", "allowed: a whole number from 1 to 64"},
    {"limits", "workers", "99999999999999999999", "allowed: a whole number from 1 to 64"},
    {"limits", "workers", "4 # four", "allowed: a whole number from 1 to 64"},
    {"limits", "idle_seconds", "1.2.3", "allowed: seconds from 0.1 to 86400"},
    {"limits", "idle_seconds", "5s", "allowed: seconds from 0.1 to 86400"},
    {"listen", "unix_mode", "0680", "allowed: an octal mode from 0000 to 0777"},
    {"listen", "unix_mode", "u=rw", "allowed: an octal mode from 0000 to 0777"},
    {"listen", "unix_mode", "000000600", "allowed: an octal mode from 0000 to 0777"},
    {"hsm", "vendor", "20a0", "allowed: a hexadecimal number from 0x0001 to 0xffff"},
    {"hsm", "vendor", "0x", "allowed: a hexadecimal number from 0x0001 to 0xffff"},
    {"hsm", "vendor", "0x20g0", "allowed: a hexadecimal number from 0x0001 to 0xffff"},
    {"hsm", "uri", "", "allowed: a text that is not empty"},
    {"upgrade", "max_bytes", "16g", "allowed: bytes, or K, M, G, T of them, from 1K to 16T"},
    {"upgrade", "max_bytes", "G", "allowed: bytes, or K, M, G, T of them, from 1K to 16T"},
    {"upgrade", "max_bytes", "16 G", "allowed: bytes, or K, M, G, T of them, from 1K to 16T"},
    {"upgrade", "max_bytes", "16777217T", "allowed: bytes, or K, M, G, T of them, from 1K to 16T"},
    {"upgrade", "max_bytes", "", "allowed: bytes, or K, M, G, T of them, from 1K to 16T"},
    {"upgrade", "max_bytes", "00000000000000000000000000000001",
     "allowed: bytes, or K, M, G, T of them, from 1K to 16T"},
    {"version", "file", "version.txt", "allowed: an absolute path"},
    {"version", "file", "", "allowed: an absolute path"},
    {"upgrade", "ca_file", "ca.pem", "allowed: an absolute path, or nothing"},
    {"guest_upgrade", "unit", "upgrade-guestos",
     "allowed: the name of a systemd unit that ends in .service"},
    {"guest_upgrade", "unit", ".service",
     "allowed: the name of a systemd unit that ends in .service"},
    {"guest_upgrade", "unit", "a/b.service",
     "allowed: the name of a systemd unit that ends in .service"},
    {"steps", "method", "units", "allowed: exec or unit"},
    {"reboot", "method", "Logind", "allowed: logind or command"},
    {"listen", "allowed_cids", "3 any", "\"any\": allowed: 1 to 64 numbers from 0 to 4294967295"},
    {"listen", "allowed_cids", "4294967296",
     "\"4294967296\": allowed: 1 to 64 numbers from 0 to 4294967295"},
    {"listen", "allowed_cids", "-1", "\"-1\": allowed: 1 to 64 numbers from 0 to 4294967295"},
    {"listen", "unix_uids", "root", "\"root\": allowed: at most 64 numbers from 0 to 4294967294"},
    {"listen", "unix_uids", "4294967295",
     "\"4294967295\": allowed: at most 64 numbers from 0 to 4294967294"},
    {"listen", "commands", "notify reboot",
     "\"reboot\": allowed: 1 to 8 of: attach-hsm detach-hsm get-hostos-version upgrade notify "
     "get-vsock-version get-upgrade-status start-upgrade-guest-vm"},
    {"listen", "commands", "",
     "allowed: 1 to 8 of: attach-hsm detach-hsm get-hostos-version upgrade notify "
     "get-vsock-version get-upgrade-status start-upgrade-guest-vm"},
    {"upgrade", "refused_addresses", "loopback lan",
     "\"lan\": allowed: at most 6 of: loopback link-local multicast unspecified own private"},
    {"upgrade", "schemes", "https ftp", "\"ftp\": allowed: 1 to 2 of: http https"},
    {"upgrade", "schemes", "", "allowed: 1 to 2 of: http https"},
    {"upgrade", "allowed_prefixes", "ftp://host/",
     "\"ftp://host/\": allowed: at most 64 beginnings of URLs, such as https://HOST/PATH"},
    {"upgrade", "allowed_prefixes", "https:///x",
     "\"https:///x\": allowed: at most 64 beginnings of URLs, such as https://HOST/PATH"},
    {"upgrade", "allowed_prefixes", "https://",
     "\"https://\": allowed: at most 64 beginnings of URLs, such as https://HOST/PATH"},
    {"console", "devices", "/dev/tty1 ttyS0", "\"ttyS0\": allowed: at most 16 absolute paths"},
    {"install", "installer", "install.sh /x",
     "\"install.sh\": allowed: 1 to 16 words, the first one an absolute path"},
    {"listen", "address", "unix:/a unix:/a",
     "\"unix:/a\": allowed: 1 to 16 addresses, none twice: vsock:any:PORT, vsock:CID:PORT or "
     "unix:/PATH"},
    {"listen", "address", "tcp:1",
     "\"tcp:1\": expected vsock:CID:PORT, vsock:any:PORT or unix:PATH"},
    {"listen", "address", "unix:host.sock",
     "\"unix:host.sock\": the path is not absolute; expected unix:/PATH"},
    {"metrics", "textfile", "/m.txt", "allowed: an absolute path that ends in .prom, or nothing"},
    {"metrics", "textfile", "m.prom", "allowed: an absolute path that ends in .prom, or nothing"},
};

UNIT_TEST(test_refused, "what each kind of value refuses")
{
    sandbox_enter();
    CHECK_EACH(i, refused, "%s = %s", refused[i].key, refused[i].value) {
        char expected[512];
        snprintf(expected, sizeof expected, "main.conf:2: [%s] %s = %s: %s", refused[i].section,
                 refused[i].key, refused[i].value, refused[i].problem);
        CHECK_STRING(try_value(refused[i].section, refused[i].key, refused[i].value), expected);
    }
    /* What a file holds reaches the message escaped. */
    CHECK_STRING(try_value("hsm", "vendor", "\xff\xc3\xa9"),
                 "main.conf:2: [hsm] vendor = \\xff\xc3\xa9: allowed: a hexadecimal number from "
                 "0x0001 to 0xffff");
    sandbox_leave();
}

/* --- values that are taken --- */

UNIT_TEST(test_taken_numbers, "numbers that are taken")
{
    sandbox_enter();
    sandbox_write("main.conf", "[listen]\nunix_mode = 660\n"
                               "[limits]\nworkers = 8 ; eight\nidle_seconds = .5\n"
                               "first_frame_seconds = 2.\nsend_seconds = 1.0001\n"
                               "[hsm]\nvendor = 0x1D6b\n"
                               "[upgrade]\nmax_bytes=3G\nkeep_free = 1025\n"
                               "[steps]\nmethod = unit\n");
    struct conf *conf = sandbox_load();
    CHECK_EQUAL(conf->listen.unix_mode, 0660);
    CHECK_EQUAL(conf->limits.workers, 8);
    CHECK_EQUAL(conf->limits.idle_ms, 500);
    CHECK_EQUAL(conf->limits.first_frame_ms, 2000);
    CHECK_EQUAL(conf->limits.send_ms, 1001);
    CHECK_EQUAL(conf->hsm.vendor, 0x1d6b);
    CHECK_EQUAL(conf->upgrade.max_bytes, UINT64_C(3) << 30);
    CHECK_EQUAL(conf->upgrade.keep_free, 1025);
    CHECK_EQUAL(conf->steps.method, CONF_STEP_UNIT);
    conf_free(conf);
    sandbox_leave();
}

/* A value has at most 255 bytes, and so has a word of a list. */
UNIT_TEST(test_long_values, "values at the limit of length, and one byte longer")
{
    char text[300];
    char expected[512];
    char value[257] = "/";
    memset(value + 1, 'x', 254);
    sandbox_enter();
    CHECK_STRING(try_value("version", "file", value), "");
    CHECK_STRING(try_value("console", "devices", value), "");
    struct conf *conf = sandbox_load();
    char *dump = sandbox_dump(conf);
    snprintf(text, sizeof text, "\ndevices = %s\n", value);
    CHECK_CONTAINS(dump, text);
    free(dump);
    conf_free(conf);
    value[255] = 'x';
    snprintf(expected, sizeof expected,
             "main.conf:2: [version] file = %.255s: a value, and a word of a list, has at most 255 "
             "bytes",
             value);
    CHECK_STRING(try_value("version", "file", value), expected);
    CHECK_CONTAINS(try_value("console", "devices", value), "at most 255 bytes");
    sandbox_leave();
}

UNIT_TEST(test_taken_lists, "lists and texts that are taken")
{
    sandbox_enter();
    sandbox_write("main.conf",
                  "[listen]\nallowed_cids = 3\t 4294967295 0\ncommands = notify\n"
                  "[upgrade]\nrefused_addresses = private own\nca_file = /a b\n"
                  "[install]\ninstaller = /bin/i --x ../y\n[metrics]\ntextfile = /m.prom\n");
    struct conf *conf = sandbox_load();
    REQUIRE_EQUAL(conf->listen.allowed_cids.count, 3);
    CHECK_EQUAL(conf->listen.allowed_cids.items[0], 3);
    CHECK_EQUAL(conf->listen.allowed_cids.items[1], UINT32_MAX);
    CHECK_EQUAL(conf->listen.allowed_cids.items[2], 0);
    CHECK_EQUAL(conf->listen.commands, 1U << COMMAND_NOTIFY);
    CHECK_EQUAL(conf->upgrade.refused_addresses, ADDRESS_PRIVATE | ADDRESS_OWN);
    CHECK_STRING(conf->upgrade.ca_file, "/a b");
    REQUIRE_EQUAL(conf->install.installer.count, 3);
    CHECK_STRING(conf->install.installer.items[0], "/bin/i");
    CHECK_STRING(conf->install.installer.items[2], "../y");
    CHECK_NULL(conf->install.installer.items[3]);
    conf_free(conf);
    sandbox_leave();
}

UNIT_TEST(test_defaults, "defaults")
{
    sandbox_enter();
    sandbox_write("main.conf", "");
    struct conf *conf = sandbox_load();
    CHECK_EQUAL(conf->listen.allowed_cids.count, 1);
    CHECK_EQUAL(conf->listen.commands, 0x1fe);
    CHECK_EQUAL(conf->listen.unix_mode, 0600);
    CHECK_EQUAL(conf->listen.unix_uids.count, 0);
    CHECK_EQUAL(conf->limits.connections_per_cid, 64);
    CHECK_EQUAL(conf->limits.first_frame_ms, 5000);
    CHECK_EQUAL(conf->limits.request_bytes, 16384);
    CHECK_EQUAL(conf->upgrade.max_bytes, UINT64_C(16) << 30);
    CHECK_EQUAL(conf->upgrade.stall_bytes_per_second, 1024);
    CHECK_EQUAL(conf->upgrade.refused_addresses, 0x1f);
    CHECK_STRING(conf->upgrade.ca_file, "");
    CHECK_EQUAL(conf->reboot.delay_ms, 60000);
    CHECK_EQUAL(conf->reboot.method, CONF_REBOOT_LOGIND);
    conf_free(conf);
    sandbox_leave();
}

UNIT_MAIN("conf values")
