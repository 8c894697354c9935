/* SPDX-License-Identifier: Apache-2.0 */
#include "host/conf/conf_check.h"

#include <errno.h>
#include <string.h>

#include "host/conf/conf_value.h"

static struct conf_mention *mention(struct conf_mentions *mentions, const char *section,
                                    const char *name)
{
    return conf_mention_of(mentions, conf_key_find(section, name));
}

static struct conf_place place_of(const struct conf_mention *mention)
{
    return (struct conf_place){.path = mention->path, .line = mention->line};
}

static const struct conf_mention *later(const struct conf_mention *a, const struct conf_mention *b)
{
    bool a_first = a->file != b->file ? a->file < b->file : a->line < b->line;
    return a_first ? b : a;
}

/* The defaults are long enough, so a list that is too short was given in a file. */
static int check_lengths(const struct conf *conf, struct conf_mentions *mentions,
                         char problem[CONF_PROBLEM_MAX])
{
    for (size_t i = 0; i < conf_keys_count; i++) {
        const struct conf_key *key = &conf_keys[i];
        if (conf_value_count(key, conf) < key->least) {
            char why[CONF_WHY_MAX];
            struct conf_place place = place_of(conf_mention_of(mentions, key));
            conf_value_allowed(key, why);
            conf_problem(&place, problem, "[%s] %s = : %s", key->section, key->name, why);
            return -EINVAL;
        }
    }
    return 0;
}

static int check_connections(struct conf *conf, struct conf_mentions *mentions,
                             char problem[CONF_PROBLEM_MAX])
{
    if (conf->limits.connections_per_cid <= conf->limits.connections) {
        return 0;
    }
    struct conf_mention *given = mention(mentions, "limits", "connections_per_cid");
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

static int check_reboot(const struct conf *conf, struct conf_mentions *mentions,
                        char problem[CONF_PROBLEM_MAX])
{
    if (conf->reboot.method != CONF_REBOOT_COMMAND || conf->reboot.command.count > 0) {
        return 0;
    }
    struct conf_place place = place_of(mention(mentions, "reboot", "method"));
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
static int check_directories(const struct conf *conf, struct conf_mentions *mentions,
                             char problem[CONF_PROBLEM_MAX])
{
    const char *upgrade = conf->upgrade.directory;
    const char *install = conf->install.directory;
    if (!holds(upgrade, install) && !holds(install, upgrade)) {
        return 0;
    }
    struct conf_place place = place_of(later(mention(mentions, "upgrade", "directory"),
                                             mention(mentions, "install", "directory")));
    conf_problem(&place, problem,
                 "[install] directory = %s: allowed: a folder apart from [upgrade] directory = %s",
                 install, upgrade);
    return -EINVAL;
}

int conf_check(struct conf *conf, struct conf_mentions *mentions, char problem[CONF_PROBLEM_MAX])
{
    int result = check_lengths(conf, mentions, problem);
    if (result == 0) {
        result = check_connections(conf, mentions, problem);
    }
    if (result == 0) {
        result = check_reboot(conf, mentions, problem);
    }
    return result == 0 ? check_directories(conf, mentions, problem) : result;
}
