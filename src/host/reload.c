/* SPDX-License-Identifier: Apache-2.0 */
#include "host/reload.h"

#include <stdlib.h>
#include <string.h>

#include "host/log/log.h"
#include "host/log/message_id.h"

static void tell_kept(const char *section, const char *name)
{
    log_warning("reload: [%s] %s differs; that takes a restart", section, name);
}

static const struct conf *keep(struct reload *reload, struct conf *fresh)
{
    struct conf **loaded = reallocarray(reload->loaded, reload->count + 1, sizeof(struct conf *));
    if (loaded == NULL) {
        conf_free(fresh);
        return NULL;
    }
    reload->loaded = loaded;
    reload->loaded[reload->count++] = fresh;
    return fresh;
}

const struct conf *reload_load(struct reload *reload, const struct conf *now)
{
    struct conf *fresh = NULL;
    const struct conf *kept = NULL;
    char problem[CONF_PROBLEM_MAX] = "out of memory";
    if (conf_load(reload->path, reload->listen, &fresh, problem) == 0) {
        if (conf_keep(now, fresh, tell_kept) == 0) {
            kept = keep(reload, fresh);
        } else {
            conf_free(fresh);
        }
    }
    if (kept == NULL) {
        log_event(PRIORITY_ERROR, MESSAGE_ID_RELOAD_FAILED, NULL, 0,
                  "reload: %s; the configuration stays as it was", problem);
    } else {
        log_event(PRIORITY_NOTICE, MESSAGE_ID_RELOADED, NULL, 0, "the configuration was reloaded");
    }
    return kept;
}

void reload_done(struct reload *reload)
{
    while (reload->count > 0) {
        conf_free(reload->loaded[--reload->count]);
    }
    free(reload->loaded);
    reload->loaded = NULL;
}
