/* SPDX-License-Identifier: Apache-2.0 */
#include "host/conf/conf_read.h"
#include "host/conf/conf_table.h"
#include "host/conf/conf_value.h"
#include "wire/text.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* The last line that gave a key. */
struct origin {
    unsigned file; /* index of the file, from 1; 0: in no file */
    struct conf_place place;
};

struct load {
    struct conf *conf;
    struct origin origins[CONF_KEYS_MAX]; /* in the table's order */
    unsigned file;                        /* index of the file that is read, from 1 */
    const char *section;                  /* of the line that is read */
    char *problem;
};

static struct origin *origin_of(struct load *load, const struct conf_key *key)
{
    return &load->origins[key - conf_keys];
}

static struct origin *find_origin(struct load *load, const char *section, const char *name)
{
    return origin_of(load, conf_key_find(section, name));
}

/* --- checks of the whole configuration --- */

/* The defaults are long enough, so a list that is too short was given in a file. */
static int check_lengths(struct load *load)
{
    for (size_t i = 0; i < conf_keys_count; i++) {
        const struct conf_key *key = &conf_keys[i];
        if (conf_value_count(key, load->conf) < key->min_count) {
            char allowed[CONF_ALLOWED_MAX];
            conf_allowed(key, allowed);
            return conf_refuse(&origin_of(load, key)->place, load->problem,
                               "[%s] %s = : allowed: %s", key->section, key->name, allowed);
        }
    }
    return 0;
}

/* A limit per CID that no file gave is cut to the limit of all connections. */
static int check_connections(struct load *load)
{
    struct conf *conf = load->conf;
    const struct origin *origin = find_origin(load, "limits", "connections_per_cid");
    if (conf->limits.connections_per_cid <= conf->limits.connections) {
        return 0;
    }
    if (origin->file == 0) {
        conf->limits.connections_per_cid = conf->limits.connections;
        return 0;
    }
    return conf_refuse(
        &origin->place, load->problem,
        "[limits] connections_per_cid = %u: allowed: at most [limits] connections = %u",
        conf->limits.connections_per_cid, conf->limits.connections);
}

static int check_reboot(struct load *load)
{
    if (load->conf->reboot.method != CONF_REBOOT_COMMAND || load->conf->reboot.command.count > 0) {
        return 0;
    }
    return conf_refuse(&find_origin(load, "reboot", "method")->place, load->problem,
                       "[reboot] method = command: needs a [reboot] command");
}

static bool directory_holds(const char *directory, const char *path)
{
    assert(directory != NULL && path != NULL); /* the table has defaults */
    size_t length = strlen(directory);
    while (length > 0 && directory[length - 1] == '/') {
        length--;
    }
    return strncmp(directory, path, length) == 0 && (path[length] == '/' || path[length] == '\0');
}

/* The daemon may write its own directory, so the other one is not safe inside it; nor can the
 * daemon enter a directory inside the other one. */
static int check_directories(struct load *load)
{
    const char *upgrade = load->conf->upgrade.directory;
    const char *install = load->conf->install.directory;
    const struct origin *a = find_origin(load, "upgrade", "directory");
    const struct origin *b = find_origin(load, "install", "directory");
    if (!directory_holds(upgrade, install) && !directory_holds(install, upgrade)) {
        return 0;
    }
    bool a_first = a->file != b->file ? a->file < b->file : a->place.line < b->place.line;
    return conf_refuse(
        &(a_first ? b : a)->place, load->problem,
        "[install] directory = %s: allowed: a folder apart from [upgrade] directory = %s", install,
        upgrade);
}

/* --- the lines of the files --- */

static int report_error(const struct load *load, const struct conf_place *place,
                        const char *section, const char *key, const char *value, const char *why)
{
    char shown_key[128];
    char shown_value[CONF_ITEM_MAX];
    (void)escape_text(text_of(key), ESCAPE_LINE, shown_key, sizeof shown_key);
    (void)escape_text(text_of(value), ESCAPE_LINE, shown_value, sizeof shown_value);
    return conf_refuse(place, load->problem, "[%s] %s = %s: %s", section, shown_key, shown_value,
                       why);
}

static int on_section(void *context, const struct conf_place *place, const char *section)
{
    struct load *load = context;
    char shown[CONF_ITEM_MAX];
    const struct conf_key *first = conf_key_find(section, NULL);
    if (first != NULL) {
        load->section = first->section;
        return 0;
    }
    const char *meant = conf_suggest(NULL, section);
    (void)escape_text(text_of(section), ESCAPE_LINE, shown, sizeof shown);
    return conf_refuse(place, load->problem, "[%s]: no such section%s%s%s", shown,
                       meant != NULL ? "; did you mean [" : "", meant != NULL ? meant : "",
                       meant != NULL ? "]?" : "");
}

static int refuse_key(const struct load *load, const struct conf_place *place, const char *name,
                      const char *value)
{
    const char *what = load->section[0] == '\0' ? "a key before any [section]" : "no such key";
    const char *meant = conf_suggest(load->section, name);
    const struct conf_key *elsewhere = conf_key_find(NULL, name);
    char why[128];
    if (elsewhere != NULL) {
        snprintf(why, sizeof why, "%s; it belongs in [%s]", what, elsewhere->section);
    } else if (meant != NULL) {
        snprintf(why, sizeof why, "%s; did you mean %s?", what, meant);
    } else {
        snprintf(why, sizeof why, "%s", what);
    }
    return report_error(load, place, load->section, name, value, why);
}

static int on_entry(void *context, const struct conf_place *place, const char *name,
                    const char *value)
{
    struct load *load = context;
    char why[CONF_WHY_MAX];
    const struct conf_key *key = conf_key_find(load->section, name);
    if (key == NULL) {
        return refuse_key(load, place, name, value);
    }
    struct origin *origin = origin_of(load, key);
    if (value[0] == ';') {
        return report_error(load, place, key->section, name, value,
                            "a comment needs a blank before its ;");
    }
    if (origin->file == load->file && !key->kind->list) {
        snprintf(why, sizeof why, "given twice, first in line %u", origin->place.line);
        return report_error(load, place, key->section, name, value, why);
    }
    /* The first line of a list replaces its default; an empty one empties it. */
    if (key->kind->list && (origin->file == 0 || value[0] == '\0')) {
        conf_value_clear(key, load->conf);
    }
    *origin = (struct origin){load->file, *place};
    int result = conf_value_set(key, value, load->conf, why);
    return result == -EINVAL ? report_error(load, place, key->section, name, value, why) : result;
}

static int read_files(struct load *load, const struct conf_strings *files)
{
    const struct conf_sink sink = {on_section, on_entry, load};
    int result = 0;
    for (size_t i = 0; i < files->count && result == 0; i++) {
        load->file = (unsigned)i + 1;
        load->section = "";
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
        result = conf_value_set(&conf_keys[i], conf_keys[i].default_value, conf, why);
        assert(result != -EINVAL);
    }
    return result;
}

static int replace_listeners(struct load *load, char *const listen[])
{
    const struct conf_key *key = conf_key_find("listen", "address");
    char why[CONF_WHY_MAX];
    int result = 0;
    conf_value_clear(key, load->conf);
    for (size_t i = 0; listen[i] != NULL && result == 0; i++) {
        result = conf_value_add(key, listen[i], load->conf, why);
    }
    if (result == -EINVAL) {
        snprintf(load->problem, CONF_PROBLEM_MAX, "--listen %s", why);
    }
    return result;
}

static int fill_conf(struct load *load, const struct conf_strings *files, char *const listen[])
{
    static int (*const checks[])(struct load * load) = {check_lengths, check_connections,
                                                        check_reboot, check_directories};
    int result = set_defaults(load->conf);
    if (result == 0) {
        result = read_files(load, files);
    }
    if (result == 0 && listen != NULL) {
        result = replace_listeners(load, listen);
    }
    for (size_t i = 0; i < sizeof checks / sizeof checks[0] && result == 0; i++) {
        result = checks[i](load);
    }
    return result;
}

int conf_load(const char *path, char *const listen[], struct conf **ret,
              char problem[CONF_PROBLEM_MAX])
{
    struct conf_strings files = {0};
    struct load load = {.problem = problem, .conf = calloc(1, sizeof *load.conf)};
    int result = load.conf != NULL ? conf_files_find(path, &files, problem) : -ENOMEM;
    if (result == 0) {
        result = fill_conf(&load, &files, listen);
    }
    conf_strings_clear(&files);
    if (result != 0) {
        if (result == -ENOMEM) {
            snprintf(problem, CONF_PROBLEM_MAX, "out of memory");
        }
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
