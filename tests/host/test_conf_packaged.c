/* SPDX-License-Identifier: Apache-2.0 */
/* conf/vsock_host.conf says what the table says: every key in its section and order, each with its
 * description, what is allowed, and its default. */
#include "host/conf/conf_table.h"
#include "host/test_conf_support.h"
#include "support/unit.h"

#include <stdlib.h>
#include <string.h>

#define RESTART_MARK "A change is taken at the next start."

static const char packaged[] = PROJECT_DIRECTORY "/conf/vsock_host.conf";
static const char packaged_programs[] = "/usr/libexec/vsock_host/";

/* One key of the file: the comment above it, and what it is set to. */
struct shown {
    char section[64];
    char comment[1024];
    char name[64];
    char value[256];
};

static bool is_key(const char *line)
{
    return line[0] == '#' && line[1] >= 'a' && line[1] <= 'z';
}

static void split_key(const char *line, struct shown *shown)
{
    size_t length = strcspn(line, " =");
    snprintf(shown->name, sizeof shown->name, "%.*s", (int)length - 1, line + 1);
    const char *value = strchr(line, '=') + 1;
    value += strspn(value, " ");
    snprintf(shown->value, sizeof shown->value, "%s", value);
}

/* Reads on to the next key; false at the end of the file. */
static bool next_key(FILE *file, struct shown *shown)
{
    char line[512];
    shown->comment[0] = '\0';
    while (fgets(line, sizeof line, file) != NULL) {
        line[strcspn(line, "\n")] = '\0';
        if (is_key(line)) {
            split_key(line, shown);
            return true;
        }
        if (line[0] == '[') {
            snprintf(shown->section, sizeof shown->section, "%.*s", (int)strcspn(line + 1, "]"),
                     line + 1);
        }
        if (line[0] == '#') {
            size_t length = strlen(shown->comment);
            snprintf(shown->comment + length, sizeof shown->comment - length, "%s\n", line);
        } else {
            shown->comment[0] = '\0';
        }
    }
    return false;
}

/* Step programs are installed below a prefix of the build's; the file shows the packages'. */
static void check_default(const struct conf_key *key, const char *value)
{
    bool program = strcmp(key->section, "steps") == 0 && key->default_value[0] == '/';
    if (program) {
        const char *slash = strrchr(key->default_value, '/');
        REQUIRE_PREFIX(value, packaged_programs);
        CHECK_STRING(value + strlen(packaged_programs), slash + 1);
    } else {
        CHECK_STRING(value, key->default_value);
    }
}

static void check_key(const struct conf_key *key, const struct shown *shown)
{
    char allowed[CONF_ALLOWED_MAX];
    char comment[1024];
    REQUIRE_STRING(shown->section, key->section);
    REQUIRE_STRING(shown->name, key->name);
    conf_allowed(key, allowed);
    snprintf(comment, sizeof comment, "# %s\n# Allowed: %s.\n%s", key->description, allowed,
             key->restart ? "# " RESTART_MARK "\n" : "");
    CHECK_STRING(shown->comment, comment);
    check_default(key, shown->value);
}

/* Above the first section it is said how a change takes effect, and what the mark of a key means. */
UNIT_TEST(test_says_how_a_change_takes_effect, "it says how a change takes effect")
{
    char line[512];
    unsigned reload = 0;
    unsigned mark = 0;
    FILE *file = fopen(packaged, "r");
    REQUIRE_NOT_NULL(file);
    while (fgets(line, sizeof line, file) != NULL && line[0] != '[') {
        reload += strstr(line, "systemctl reload vsock_host") != NULL;
        mark += strstr(line, "\"" RESTART_MARK "\" need: systemctl restart") != NULL;
    }
    (void)fclose(file); /* read only */
    CHECK_EQUAL(reload, 1);
    CHECK_EQUAL(mark, 1);
}

UNIT_TEST(test_agrees_with_the_table, "it agrees with the table, key by key")
{
    struct shown shown = {.section = ""};
    FILE *file = fopen(packaged, "r");
    REQUIRE_NOT_NULL(file);
    for (size_t i = 0; i < conf_keys_count; i++) {
        CHECK_ROW("%s", conf_keys[i].name);
        REQUIRE_TRUE(next_key(file, &shown));
        check_key(&conf_keys[i], &shown);
    }
    CHECK_FALSE(next_key(file, &shown));
    fclose(file);
}

/* Copies the file to main.conf, with its keys as they are, or in force. */
static void copy_packaged(bool in_force)
{
    char line[512];
    FILE *in = fopen(packaged, "r");
    FILE *out = fopen("main.conf", "w");
    REQUIRE_NOT_NULL(in);
    REQUIRE_NOT_NULL(out);
    while (fgets(line, sizeof line, in) != NULL) {
        fputs(in_force && is_key(line) ? line + 1 : line, out);
    }
    REQUIRE_EQUAL(fclose(out), 0);
    fclose(in);
}

static char *dump_main(void)
{
    struct conf *conf = sandbox_load();
    char *dump = sandbox_dump(conf);
    conf_free(conf);
    return dump;
}

/* Puts the packages' folder of programs in place of the build's. */
static void move_programs(char **dump)
{
    char *moved = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&moved, &size);
    REQUIRE_NOT_NULL(out);
    for (char *line = strtok(*dump, "\n"); line != NULL; line = strtok(NULL, "\n")) {
        const char *program = strstr(line, "_program = ");
        if (program == NULL) {
            fprintf(out, "%s\n", line);
        } else {
            fprintf(out, "%.*s%s%s\n", (int)(strchr(line, '/') - line), line, packaged_programs,
                    strrchr(line, '/') + 1);
        }
    }
    REQUIRE_EQUAL(fclose(out), 0);
    free(*dump);
    *dump = moved;
}

UNIT_TEST(test_in_force_it_is_the_defaults, "it loads, and in force it is the defaults")
{
    sandbox_enter();
    sandbox_write("main.conf", "");
    char *defaults = dump_main();
    copy_packaged(false);
    char *as_it_is = dump_main();
    CHECK_STRING(as_it_is, defaults);
    copy_packaged(true);
    char *in_force = dump_main();
    move_programs(&defaults);
    move_programs(&in_force);
    CHECK_STRING(in_force, defaults);
    free(in_force);
    free(as_it_is);
    free(defaults);
    sandbox_leave();
}

UNIT_MAIN("conf packaged")
