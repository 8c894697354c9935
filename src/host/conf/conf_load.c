/* SPDX-License-Identifier: Apache-2.0 */
#include "host/conf/conf_load.h"

#include "host/conf/conf_read.h"
#include "host/conf/conf_value.h"
#include "wire/text.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

static struct conf_origin *origin(struct conf_origins *origins, const char *section,
                                  const char *name)
{
    return conf_origin_of(origins, conf_key_find(section, name));
}

static struct conf_place place_of(const struct conf_origin *origin)
{
    return (struct conf_place){.path = origin->path, .line = origin->line};
}

static const struct conf_origin *later(const struct conf_origin *a, const struct conf_origin *b)
{
    bool a_first = a->file != b->file ? a->file < b->file : a->line < b->line;
    return a_first ? b : a;
}

/* The defaults are long enough, so a list that is too short was given in a file. */
static int check_lengths(const struct conf *conf, struct conf_origins *origins,
                         char problem[CONF_PROBLEM_MAX])
{
    for (size_t i = 0; i < conf_keys_count; i++) {
        const struct conf_key *key = &conf_keys[i];
        if (conf_value_count(key, conf) < key->min_count) {
            char why[CONF_WHY_MAX];
            struct conf_place place = place_of(conf_origin_of(origins, key));
            conf_value_allowed(key, why);
            conf_problem(&place, problem, "[%s] %s = : %s", key->section, key->name, why);
            return -EINVAL;
        }
    }
    return 0;
}

static int check_connections(struct conf *conf, struct conf_origins *origins,
                             char problem[CONF_PROBLEM_MAX])
{
    if (conf->limits.connections_per_cid <= conf->limits.connections) {
        return 0;
    }
    struct conf_origin *given = origin(origins, "limits", "connections_per_cid");
    if (given->path == NULL) {
        conf->limits.connections_per_cid = conf->limits.connections;
        return 0;
    }
    struct conf_place place = place_of(given);
    conf_problem(&place, problem,
                 "[limits] connections_per_cid = %u: allowed: at most [limits] connections = %u",
                 conf->limits.connections_per_cid, conf->limits.connections);
    return -EINVAL;
}

static int check_reboot(const struct conf *conf, struct conf_origins *origins,
                        char problem[CONF_PROBLEM_MAX])
{
    if (conf->reboot.method != CONF_REBOOT_COMMAND || conf->reboot.command.count > 0) {
        return 0;
    }
    struct conf_place place = place_of(origin(origins, "reboot", "method"));
    conf_problem(&place, problem, "[reboot] method = command: needs a [reboot] command");
    return -EINVAL;
}

static bool holds(const char *folder, const char *path)
{
    size_t length = strlen(folder);
    while (length > 0 && folder[length - 1] == '/') {
        length--;
    }
    return strncmp(folder, path, length) == 0 && (path[length] == '/' || path[length] == '\0');
}

/* The daemon may write its own folder, so the other one is not safe inside it; nor can the daemon
 * enter a folder inside the other one. */
static int check_directories(const struct conf *conf, struct conf_origins *origins,
                             char problem[CONF_PROBLEM_MAX])
{
    const char *upgrade = conf->upgrade.directory;
    const char *install = conf->install.directory;
    if (!holds(upgrade, install) && !holds(install, upgrade)) {
        return 0;
    }
    struct conf_place place = place_of(
        later(origin(origins, "upgrade", "directory"), origin(origins, "install", "directory")));
    conf_problem(&place, problem,
                 "[install] directory = %s: allowed: a folder apart from [upgrade] directory = %s",
                 install, upgrade);
    return -EINVAL;
}

/* A limit of connections per CID that no file gave is cut to the limit of all connections. */
static int conf_check(struct conf *conf, struct conf_origins *origins,
                      char problem[CONF_PROBLEM_MAX])
{
    int result = check_lengths(conf, origins, problem);
    if (result == 0) {
        result = check_connections(conf, origins, problem);
    }
    if (result == 0) {
        result = check_reboot(conf, origins, problem);
    }
    return result == 0 ? check_directories(conf, origins, problem) : result;
}

struct load {
    struct conf *conf;
    struct conf_origins origins;
    unsigned file; /* the how manieth is being read, from 1 on */
    char *problem;
};

/* A line's key and value, escaped, for an error. */
struct shown {
    char key[128];
    char value[CONF_ITEM_MAX];
};

static struct shown show(const char *key, const char *value)
{
    struct shown shown;
    (void)escape_text(text_of(key), ESCAPE_LINE, shown.key, sizeof shown.key);
    (void)escape_text(text_of(value), ESCAPE_LINE, shown.value, sizeof shown.value);
    return shown;
}

/* --- errors --- */

static int no_section(struct load *load, const struct conf_place *place, const char *section)
{
    char shown[CONF_ITEM_MAX];
    const char *nearest = conf_section_suggest(section);
    (void)escape_text(text_of(section), ESCAPE_LINE, shown, sizeof shown);
    if (nearest != NULL) {
        conf_problem(place, load->problem, "[%s]: no such section; did you mean [%s]?", shown,
                     nearest);
    } else {
        conf_problem(place, load->problem, "[%s]: no such section", shown);
    }
    return -EINVAL;
}

static int no_key(struct load *load, const struct conf_place *place, const char *section,
                  const char *key, const char *value)
{
    struct shown shown = show(key, value);
    const char *nearest = conf_key_suggest(section, key);
    const struct conf_key *elsewhere = conf_key_find(NULL, key);
    const char *what = section[0] == '\0' ? "a key before any [section]" : "no such key";
    char hint[96] = "";
    if (elsewhere != NULL) {
        snprintf(hint, sizeof hint, "; it belongs in [%s]", elsewhere->section);
    } else if (nearest != NULL) {
        snprintf(hint, sizeof hint, "; did you mean %s?", nearest);
    }
    conf_problem(place, load->problem, "[%s] %s = %s: %s%s", section, shown.key, shown.value, what,
                 hint);
    return -EINVAL;
}

static int report_error(struct load *load, const struct conf_place *place,
                        const struct conf_key *key, const char *value, const char *why)
{
    struct shown shown = show(key->name, value);
    conf_problem(place, load->problem, "[%s] %s = %s: %s", key->section, key->name, shown.value,
                 why);
    return -EINVAL;
}

/* --- the lines of the files --- */

static int on_section(void *context, const struct conf_place *place, const char *section)
{
    return conf_section_known(section) ? 0 : no_section(context, place, section);
}

/* The first mention in the files replaces a list's default, and so does one that holds nothing. */
static int take(struct load *load, const struct conf_place *place, const struct conf_key *key,
                const char *value)
{
    char why[CONF_WHY_MAX];
    struct conf_origin *origin = conf_origin_of(&load->origins, key);
    bool again = origin->file == load->file && !key->kind->list;
    if (again) {
        snprintf(why, sizeof why, "given twice, first in line %u", origin->line);
        return report_error(load, place, key, value, why);
    }
    if (key->kind->list && (origin->path == NULL || value[0] == '\0')) {
        conf_value_clear(key, load->conf);
    }
    *origin = (struct conf_origin){place->path, load->file, place->line};
    int result = conf_value_take(key, value, load->conf, why);
    return result == -EINVAL ? report_error(load, place, key, value, why) : result;
}

static int on_entry(void *context, const struct conf_place *place, const char *section,
                    const char *name, const char *value)
{
    struct load *load = context;
    const struct conf_key *key = conf_key_find(section, name);
    if (key == NULL) {
        return no_key(load, place, section, name, value);
    }
    if (value[0] == ';') {
        return report_error(load, place, key, value, "a comment needs a blank before its ;");
    }
    return take(load, place, key, value);
}

static int read_files(struct load *load, const struct conf_strings *files)
{
    const struct conf_sink sink = {on_section, on_entry, load};
    int result = 0;
    for (size_t i = 0; i < files->count && result == 0; i++) {
        load->file = (unsigned)i + 1;
        result = conf_read(files->items[i], &sink, load->problem);
        bool optional = i == 0 && strcmp(files->items[i], CONF_DEFAULT_PATH) == 0;
        result = result == -ENOENT && optional ? 0 : result;
    }
    return result;
}

/* --- what is not in the files --- */

static int set_defaults(struct conf *conf)
{
    int result = 0;
    for (size_t i = 0; i < conf_keys_count && result == 0; i++) {
        char why[CONF_WHY_MAX];
        result = conf_value_take(&conf_keys[i], conf_keys[i].default_value, conf, why);
        assert(result != -EINVAL);
    }
    return result;
}

static int replace_listeners(struct conf *conf, char *const listen[],
                             char problem[CONF_PROBLEM_MAX])
{
    const struct conf_key *key = conf_key_find("listen", "address");
    char why[CONF_WHY_MAX];
    int result = 0;
    conf_value_clear(key, conf);
    for (size_t i = 0; listen[i] != NULL && result == 0; i++) {
        result = conf_value_add(key, listen[i], conf, why);
    }
    if (result == -EINVAL) {
        snprintf(problem, CONF_PROBLEM_MAX, "--listen %s", why);
    }
    return result;
}

static int load_into(struct load *load, const struct conf_strings *files, char *const listen[])
{
    int result = set_defaults(load->conf);
    if (result == 0) {
        result = read_files(load, files);
    }
    if (result == 0 && listen != NULL) {
        result = replace_listeners(load->conf, listen, load->problem);
    }
    return result == 0 ? conf_check(load->conf, &load->origins, load->problem) : result;
}

int conf_load(const char *path, char *const listen[], struct conf **ret,
              char problem[CONF_PROBLEM_MAX])
{
    struct conf_strings files = {0};
    struct load load = {.problem = problem};
    int result = conf_files_find(path, &files, problem);
    if (result != 0) {
        return result;
    }
    snprintf(problem, CONF_PROBLEM_MAX, "out of memory");
    load.conf = calloc(1, sizeof *load.conf);
    result = load.conf != NULL ? load_into(&load, &files, listen) : -ENOMEM;
    conf_files_done(&files);
    if (result != 0) {
        conf_free(load.conf);
        return result;
    }
    *ret = load.conf;
    return 0;
}

struct conf *conf_free(struct conf *conf)
{
    for (size_t i = 0; conf != NULL && i < conf_keys_count; i++) {
        conf_value_clear(&conf_keys[i], conf);
    }
    free(conf);
    return NULL;
}
