/* SPDX-License-Identifier: Apache-2.0 */
/* How files add up: drop-ins, lists, overriding, --listen, checks between keys, the dump. */
#include "host/test_conf_support.h"
#include "support/unit.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define DEVICES "[console]\ndevices = "

static char *join_words(const struct conf_strings *list)
{
    static char text[512];
    text[0] = '\0';
    for (size_t i = 0; i < list->count; i++) {
        snprintf(text + strlen(text), sizeof text - strlen(text), "%s%s", i == 0 ? "" : " ",
                 list->items[i]);
    }
    return text;
}

static const struct {
    const char *first;  /* main.conf */
    const char *second; /* a drop-in */
    const char *third;
    const char *devices;
} additions[] = {
    {"", "", "", "/dev/tty1 /dev/ttyS0"},
    {DEVICES "/a\n", "", "", "/a"},
    {DEVICES "/a\ndevices = /b /c\n", "", "", "/a /b /c"},
    {"", DEVICES "/a\n", DEVICES "/b\n", "/a /b"},
    {DEVICES "/a\n", DEVICES "/b\n", DEVICES "/c\n", "/a /b /c"},
    {DEVICES "\n", "", "", ""},
    {"", DEVICES "\n", "", ""},
    {DEVICES "/a\n", DEVICES "\ndevices = /b\n", "", "/b"},
    {DEVICES "/a\n", DEVICES "/b\n", DEVICES "\n", ""},
    {DEVICES "\n", DEVICES "/b\n", "", "/b"},
};

UNIT_TEST(test_lists_add_up, "lists add up over lines and files")
{
    sandbox_enter();
    sandbox_make_folder("main.conf.d");
    CHECK_EACH(i, additions, "%s", additions[i].first) {
        sandbox_write("main.conf", additions[i].first);
        sandbox_write("main.conf.d/1.conf", additions[i].second);
        sandbox_write("main.conf.d/2.conf", additions[i].third);
        struct conf *conf = sandbox_load();
        CHECK_STRING(join_words(&conf->console.devices), additions[i].devices);
        conf_free(conf);
    }
    sandbox_leave();
}

UNIT_TEST(test_drop_ins_override_in_order, "drop-ins override, in the order of their names")
{
    sandbox_enter();
    sandbox_write("main.conf", "[limits]\nworkers = 1\nqueue = 1\n[hsm]\nuri = one\n");
    sandbox_make_folder("main.conf.d");
    sandbox_write("main.conf.d/b.conf", "[limits]\nworkers = 3\n");
    sandbox_write("main.conf.d/a.conf", "[limits]\nworkers = 2\nqueue = 2\n[hsm]\nuri = two\n");
    sandbox_write("main.conf.d/B.conf", "[limits]\nqueue = 7\n");
    /* None of these is a drop-in. */
    sandbox_write("main.conf.d/z.conf.bak", "nonsense");
    sandbox_write("main.conf.d/.z.conf", "nonsense");
    sandbox_write("main.conf.d/.conf", "nonsense");
    struct conf *conf = sandbox_load();
    CHECK_EQUAL(conf->limits.workers, 3);
    CHECK_EQUAL(conf->limits.queue, 2);
    CHECK_STRING(conf->hsm.uri, "two");
    conf_free(conf);
    sandbox_leave();
}

UNIT_TEST(test_bad_drop_ins, "bad drop-ins")
{
    sandbox_enter();
    sandbox_write("main.conf", "");
    sandbox_write("main.conf.d", "");
    CHECK_STRING(sandbox_load_problem(NULL), "main.conf.d: cannot be listed: Not a directory");
    CHECK_EQUAL(unlink("main.conf.d"), 0);
    sandbox_make_folder("main.conf.d");
    sandbox_write("main.conf.d/1.conf", "[limits]\nworkers = 0\n");
    CHECK_STRING(sandbox_load_problem(NULL),
                 "main.conf.d/1.conf:2: [limits] workers = 0: allowed: a whole number "
                 "from 1 to 64");
    CHECK_EQUAL(unlink("main.conf.d/1.conf"), 0);
    sandbox_make_folder("main.conf.d/1.conf");
    CHECK_STRING(sandbox_load_problem(NULL), "main.conf.d/1.conf: is a directory; allowed: a file");
    CHECK_EQUAL(rmdir("main.conf.d/1.conf"), 0);
    CHECK_EQUAL(symlink("/nonexistent", "main.conf.d/1.conf"), 0);
    CHECK_STRING(sandbox_load_problem(NULL),
                 "main.conf.d/1.conf: cannot be opened: No such file or directory");
    sandbox_leave();
}

/* A list that drop-ins left too short is told with its last mention. */
UNIT_TEST(test_emptied_by_drop_in, "a list that a drop-in emptied")
{
    sandbox_enter();
    sandbox_make_folder("main.conf.d");
    sandbox_write("main.conf", "[upgrade]\nschemes = http\n");
    sandbox_write("main.conf.d/1.conf", "# one\n[upgrade]\nschemes =\n");
    CHECK_STRING(sandbox_load_problem(NULL),
                 "main.conf.d/1.conf:3: [upgrade] schemes = : allowed: 1 to 2 of: http https");
    sandbox_write("main.conf.d/2.conf", "[upgrade]\nschemes = https\n");
    CHECK_STRING(sandbox_load_problem(NULL), "");
    sandbox_leave();
}

UNIT_TEST(test_listen_replaces, "--listen replaces the addresses")
{
    char first[] = "unix:/a";
    char second[] = "vsock:3:5";
    char *listen[] = {first, second, NULL};
    struct conf *conf = NULL;
    char problem[CONF_PROBLEM_MAX];
    sandbox_enter();
    sandbox_write("main.conf", "[listen]\naddress = unix:/x unix:/y unix:/z\n");
    REQUIRE_EQUAL(conf_load("main.conf", listen, &conf, problem), 0);
    CHECK_STRING(join_words(&conf->listen.address), "unix:/a vsock:3:5");
    conf_free(conf);
    sandbox_leave();
}

UNIT_TEST(test_bad_listen, "bad --listen")
{
    char blank[] = "unix:/a b";
    char wrong[] = "vsock:x:1";
    char *with_blank[] = {blank, NULL};
    char *with_wrong[] = {wrong, NULL};
    sandbox_enter();
    sandbox_write("main.conf", "");
    CHECK_STRING(sandbox_load_problem(with_blank),
                 "--listen \"unix:/a b\": allowed: 1 to 16 addresses, none twice: "
                 "vsock:any:PORT, vsock:CID:PORT or unix:/PATH");
    CHECK_STRING(sandbox_load_problem(with_wrong),
                 "--listen \"vsock:x:1\": the CID is not a number from 0 to 4294967294, "
                 "nor \"any\"");
    blank[strlen("unix:/a")] = '\0';
    char *twice[] = {blank, blank, NULL};
    CHECK_STRING(sandbox_load_problem(twice),
                 "--listen \"unix:/a\": allowed: 1 to 16 addresses, none twice: "
                 "vsock:any:PORT, vsock:CID:PORT or unix:/PATH");
    sandbox_leave();
}

/* --- keys that do not fit each other --- */

static const struct {
    const char *text;
    const char *problem;
} checks[] = {
    {"[limits]\nconnections = 32\nconnections_per_cid = 32\n", ""},
    {"[limits]\nconnections_per_cid = 33\nconnections = 32\n",
     "main.conf:2: [limits] connections_per_cid = 33: allowed: at most [limits] connections = 32"},
    {"[limits]\nconnections_per_cid = 257\n",
     "main.conf:2: [limits] connections_per_cid = 257: allowed: at most [limits] connections = "
     "256"},
    {"[reboot]\nmethod = command\n",
     "main.conf:2: [reboot] method = command: needs a [reboot] command"},
    {"[reboot]\nmethod = command\ncommand = /bin/true\n", ""},
    {"[reboot]\nmethod = logind\ncommand = /bin/true\n", ""},
    {"[install]\ndirectory = /var/lib/vsock_host\n",
     "main.conf:2: [install] directory = /var/lib/vsock_host: allowed: a folder apart from "
     "[upgrade] directory = /var/lib/vsock_host"},
    {"[install]\ndirectory = /a\n[upgrade]\ndirectory = /a/b/\n",
     "main.conf:4: [install] directory = /a: allowed: a folder apart from [upgrade] directory = "
     "/a/b/"},
    {"[upgrade]\ndirectory = /a/\n[install]\ndirectory = /a/b\n",
     "main.conf:4: [install] directory = /a/b: allowed: a folder apart from [upgrade] directory = "
     "/a/"},
    {"[upgrade]\ndirectory = /\n",
     "main.conf:2: [install] directory = /var/lib/vsock_host-install: allowed: a folder apart from "
     "[upgrade] directory = /"},
    {"[upgrade]\ndirectory = /a\n[install]\ndirectory = /ab\n", ""},
};

UNIT_TEST(test_checks, "keys that do not fit each other")
{
    sandbox_enter();
    CHECK_EACH(i, checks, "%s", checks[i].text) {
        CHECK_STRING(sandbox_problem(checks[i].text), checks[i].problem);
    }
    sandbox_leave();
}

/* Two keys in two files: the one that was read last is told. */
UNIT_TEST(test_check_names_the_later_file, "of two keys the later one is told")
{
    sandbox_enter();
    sandbox_make_folder("main.conf.d");
    sandbox_write("main.conf", "\n\n\n[install]\ndirectory = /a\n");
    sandbox_write("main.conf.d/1.conf", "[upgrade]\ndirectory = /a\n");
    CHECK_STRING(sandbox_load_problem(NULL),
                 "main.conf.d/1.conf:2: [install] directory = /a: allowed: a folder "
                 "apart from [upgrade] directory = /a");
    sandbox_leave();
}

UNIT_TEST(test_default_per_cid_is_cut, "the default of connections_per_cid is cut")
{
    sandbox_enter();
    sandbox_write("main.conf", "[limits]\nconnections = 10\n");
    struct conf *conf = sandbox_load();
    CHECK_EQUAL(conf->limits.connections_per_cid, 10);
    conf_free(conf);
    sandbox_leave();
}

/* --- the dump --- */

/* Loading what was dumped must give what was dumped. */
static void check_round_trip(void)
{
    struct conf *conf = sandbox_load();
    char *dump = sandbox_dump(conf);
    conf_free(conf);
    sandbox_write("main.conf", dump);
    conf = sandbox_load();
    char *again = sandbox_dump(conf);
    conf_free(conf);
    CHECK_STRING(again, dump);
    free(again);
    free(dump);
}

UNIT_TEST(test_dump_round_trip, "the dump loads to the same")
{
    sandbox_enter();
    sandbox_write("main.conf", "");
    check_round_trip();
    sandbox_write("main.conf", "[listen]\nunix_mode = 0\nunix_uids = 0 1000\ncommands = upgrade\n"
                               "[limits]\nidle_seconds = 0.105\n"
                               "[console]\ndevices =\ninterval_seconds = 0\n"
                               "[upgrade]\nkeep_free = 0\nmax_bytes = 1025\nrefused_addresses =\n"
                               "allowed_prefixes = http://a/ https://b\n"
                               "[reboot]\nmethod = command\ncommand = /bin/r a#b c;d\n");
    check_round_trip();
    sandbox_leave();
}

/* 60 prefixes do not fit one line, and neither does one that is longer than a line of the dump. */
UNIT_TEST(test_dump_long_lists, "the dump of long lists")
{
    sandbox_enter();
    FILE *file = fopen("main.conf", "w");
    REQUIRE_NOT_NULL(file);
    fprintf(file, "[upgrade]\n");
    for (int i = 0; i < 60; i++) {
        fprintf(file, "allowed_prefixes = https://host-%d.example/images/\n", i);
    }
    fprintf(file, "allowed_prefixes=https://%0*d\n", 255 - (int)strlen("https://"), 1);
    REQUIRE_EQUAL(fclose(file), 0);
    struct conf *conf = sandbox_load();
    CHECK_EQUAL(conf->upgrade.allowed_prefixes.count, 61);
    conf_free(conf);
    check_round_trip();
    conf = sandbox_load();
    CHECK_EQUAL(conf->upgrade.allowed_prefixes.count, 61);
    conf_free(conf);
    sandbox_leave();
}

UNIT_TEST(test_dump_text, "the dump's text")
{
    sandbox_enter();
    sandbox_write("main.conf", "[limits]\nidle_seconds = 2.50\n[upgrade]\nmax_bytes = 2048M\n"
                               "[console]\ndevices = /a /b\n");
    struct conf *conf = sandbox_load();
    char *dump = sandbox_dump(conf);
    conf_free(conf);
    CHECK_PREFIX(dump, "[listen]\naddress = vsock:any:19090");
    CHECK_CONTAINS(dump, "\nunix_uids =\n\n[limits]\nworkers = 4\n");
    CHECK_CONTAINS(dump, "\nidle_seconds = 2.5\n");
    CHECK_CONTAINS(dump, "\nmax_bytes = 2G\n");
    CHECK_CONTAINS(dump, "\ndevices = /a /b\n");
    CHECK_CONTAINS(dump, "\nvendor = 0x20a0\n");
    free(dump);
    sandbox_leave();
}

UNIT_TEST(test_dump_failure, "a dump that cannot be written")
{
    sandbox_enter();
    sandbox_write("main.conf", "");
    struct conf *conf = sandbox_load();
    FILE *full = fopen("/dev/full", "w");
    REQUIRE_NOT_NULL(full);
    CHECK_EQUAL(conf_dump(conf, full), -ENOSPC);
    fclose(full);
    conf_free(conf);
    sandbox_leave();
}

UNIT_TEST(test_missing_default_file, "no file at the default path")
{
    struct conf *conf = NULL;
    char problem[CONF_PROBLEM_MAX];
    if (access(CONF_DEFAULT_PATH, F_OK) == 0) {
        printf("(not run: this machine has a %s) ", CONF_DEFAULT_PATH);
        return;
    }
    REQUIRE_EQUAL(conf_load(CONF_DEFAULT_PATH, NULL, &conf, problem), 0);
    CHECK_EQUAL(conf->limits.workers, 4);
    conf_free(conf);
}

UNIT_MAIN("conf load")
