/* SPDX-License-Identifier: Apache-2.0 */
#include "host/reload.h"

#include <stdio.h>
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

/* What is in effect from now on: `now` itself if nothing has changed, which costs no memory. NULL:
 * out of memory. */
static const struct conf *merge(struct reload *reload, const struct conf *now, struct conf *fresh)
{
    int error = conf_keep(now, fresh, tell_kept);
    if (error == 0 && !conf_same(now, fresh)) {
        return keep(reload, fresh);
    }
    conf_free(fresh);
    return error == 0 ? now : NULL;
}

const struct conf *reload_load(struct reload *reload, const struct conf *now)
{
    struct conf *fresh = NULL;
    const struct conf *merged = NULL;
    char problem[CONF_PROBLEM_MAX];
    if (conf_load(reload->path, reload->listen, &fresh, problem) == 0) {
        (void)snprintf(problem, sizeof problem, "out of memory");
        merged = merge(reload, now, fresh);
    }
    if (merged == NULL) {
        log_event(PRIORITY_ERROR, MESSAGE_ID_RELOAD_FAILED, NULL, 0,
                  "reload: %s; the configuration stays as it was", problem);
    } else {
        log_event(PRIORITY_NOTICE, MESSAGE_ID_RELOADED, NULL, 0, "the configuration was reloaded%s",
                  merged == now ? "; nothing changed" : "");
    }
    return merged;
}

void reload_done(struct reload *reload)
{
    while (reload->count > 0) {
        conf_free(reload->loaded[--reload->count]);
    }
    free(reload->loaded);
    reload->loaded = NULL;
}
