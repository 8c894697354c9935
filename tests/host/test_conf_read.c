/* SPDX-License-Identifier: Apache-2.0 */
/* Files as a whole and lines as such: what is refused before a value is looked at. */
#include "host/test_conf_support.h"
#include "support/unit.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const struct {
    const char *text;
    const char *problem;
} refused[] = {
    {"[limits]\nworkers = 2\n queue = 3\n",
     "main.conf:3: the line begins with a blank; keys and sections begin at its start"},
    {"\t[limits]\n",
     "main.conf:1: the line begins with a blank; keys and sections begin at its start"},
    {"[limits]\nworkers\n",
     "main.conf:2: a line is [section], key = value, or a comment after # or ;"},
    {"[limits]\nworkers: 4\n",
     "main.conf:2: a line is [section], key = value, or a comment after # or ;"},
    {"[limits]\nworkers: a = 4\n",
     "main.conf:2: a line is [section], key = value, or a comment after # or ;"},
    {"[limits]\nworkers ;= 4\n",
     "main.conf:2: a line is [section], key = value, or a comment after # or ;"},
    {"[limits\nworkers = 4\n", "main.conf:1: a section is [name], and only a comment follows it"},
    {"[limits] workers = 4\n", "main.conf:1: a section is [name], and only a comment follows it"},
    {"[limits];x\n", "main.conf:1: a section is [name], and only a comment follows it"},
    {"\xef\xbb\xbf[limits]\n",
     "main.conf:1: the line begins with a byte order mark, which is not allowed"},
    {"[limits]\nworkers = 4\x01\n",
     "main.conf:2: the line holds a byte 0x01; only text and tabs are allowed"},
    {"# \x7f\n", "main.conf:1: the line holds a byte 0x7f; only text and tabs are allowed"},
    {"[limits]\r\nworkers = 4\n[]\n", "main.conf:3: []: no such section"},
    {"[limit]\n", "main.conf:1: [limit]: no such section; did you mean [limits]?"},
    {"[network]\n", "main.conf:1: [network]: no such section"},
    {"[\xff]\n", "main.conf:1: [\\xff]: no such section"},
    {"workers = 4\n", "main.conf:1: [] workers = 4: a key before any [section]; it belongs in "
                      "[limits]"},
    {"x = 4\n", "main.conf:1: [] x = 4: a key before any [section]"},
    {"[limits]\nworker = 4\n",
     "main.conf:2: [limits] worker = 4: no such key; did you mean workers?"},
    {"[limits]\ndevices = /dev/tty1\n",
     "main.conf:2: [limits] devices = /dev/tty1: no such key; it belongs in [console]"},
    {"[limits]\n= 4\n", "main.conf:2: [limits]  = 4: no such key"},
    {"[limits]\nzebra = \xff\n", "main.conf:2: [limits] zebra = \\xff: no such key"},
    {"[limits]\nworkers = 4\n\nworkers = 4\n",
     "main.conf:4: [limits] workers = 4: given twice, first in line 2"},
    {"[limits]\nworkers = 4\n[console]\n[limits]\nworkers = 5\n",
     "main.conf:5: [limits] workers = 5: given twice, first in line 2"},
    {"[console]\nskip_while_running =;x\n",
     "main.conf:2: [console] skip_while_running = ;x: a comment needs a blank before its ;"},
    /* The first of two problems is told. */
    {"[limits]\nworkers = 0\nqueue\n",
     "main.conf:2: [limits] workers = 0: allowed: a whole number from 1 to 64"},
};

UNIT_TEST(test_refused, "lines that are refused")
{
    sandbox_enter();
    CHECK_EACH(i, refused, "%s", refused[i].text) {
        CHECK_STRING(sandbox_problem(refused[i].text), refused[i].problem);
    }
    sandbox_leave();
}

static const char *const taken[] = {
    "",
    "\n\n",
    "# comment\n; comment\n  # indented comment\n\t; indented comment\n \t \n",
    "[limits]\nworkers = 4",
    "[limits]\r\nworkers = 4\r\n\r\n",
    "[limits] ; comment\nworkers=4 ; comment\nqueue\t=\t5\t;comment\n",
    "[limits]\nworkers = 4\n[console]\nqueue = 4\n[limits]\nqueue = 5\n",
    "[hsm]\nuri = a=b:c;d\n",
};

UNIT_TEST(test_taken, "lines that are taken")
{
    sandbox_enter();
    CHECK_EACH(i, taken, "%s", taken[i]) {
        CHECK_STRING(sandbox_problem(taken[i]), "");
    }
    sandbox_leave();
}

UNIT_TEST(test_nul, "a NUL byte")
{
    static const char text[] = "[limits]\nworkers = 4\0 5\n";
    sandbox_enter();
    sandbox_write_bytes("main.conf", text, sizeof text - 1);
    CHECK_STRING(sandbox_load_problem(NULL),
                 "main.conf:2: the line holds a byte 0x00; only text and tabs are allowed");
    sandbox_leave();
}

/* A line of `length` bytes that sets [hsm] uri, filled up by a comment. */
static const char *try_line(size_t length, const char *end)
{
    static char text[8192];
    static char filler[8192];
    memset(filler, 'x', sizeof filler);
    snprintf(text, sizeof text, "[hsm]\nuri = x ;%.*s%s", (int)(length - strlen("uri = x ;")),
             filler, end);
    return sandbox_problem(text);
}

UNIT_TEST(test_long_line, "a line at the limit, and one byte longer")
{
    static const char problem[] = "main.conf:2: the line is longer than 4096 bytes; a list may go "
                                  "on in another line with the same key";
    sandbox_enter();
    CHECK_STRING(try_line(4096, "\n"), "");
    struct conf *conf = sandbox_load();
    CHECK_STRING(conf->hsm.uri, "x");
    conf_free(conf);
    CHECK_STRING(try_line(4096, ""), "");
    CHECK_STRING(try_line(4095, "\r\n"), "");
    CHECK_STRING(try_line(4097, "\n"), problem);
    CHECK_STRING(try_line(4097, ""), problem);
    CHECK_STRING(try_line(4096, "\r\n"), problem);
    sandbox_leave();
}

UNIT_TEST(test_missing, "no such file")
{
    sandbox_enter();
    CHECK_STRING(sandbox_load_problem(NULL),
                 "main.conf: cannot be opened: No such file or directory");
    sandbox_leave();
}

UNIT_TEST(test_not_a_file, "a directory, a FIFO, /dev/null")
{
    sandbox_enter();
    sandbox_make_folder("main.conf");
    CHECK_STRING(sandbox_load_problem(NULL), "main.conf: is a directory; allowed: a file");
    CHECK_EQUAL(rmdir("main.conf"), 0);
    CHECK_EQUAL(mkfifo("main.conf", 0600), 0);
    CHECK_STRING(sandbox_load_problem(NULL), "main.conf: is not a regular file");
    CHECK_EQUAL(unlink("main.conf"), 0);
    CHECK_EQUAL(symlink("/dev/null", "main.conf"), 0);
    CHECK_STRING(sandbox_load_problem(NULL), "");
    sandbox_leave();
}

/* Address 0 is not mapped, so reading it fails, whoever reads. */
UNIT_TEST(test_read_error, "a read error")
{
    sandbox_enter();
    CHECK_EQUAL(symlink("/proc/self/mem", "main.conf"), 0);
    CHECK_STRING(sandbox_load_problem(NULL), "main.conf:1: cannot be read: Input/output error");
    sandbox_leave();
}

UNIT_TEST(test_escaped_path, "a path that needs escaping")
{
    struct conf *conf = NULL;
    char problem[CONF_PROBLEM_MAX];
    CHECK_COMPARE(conf_load("/no\n\x1b[2J", NULL, &conf, problem), !=, 0);
    CHECK_STRING(problem, "/no\\x0a\\x1b[2J: cannot be opened: No such file or directory");
}

UNIT_MAIN("conf read")
