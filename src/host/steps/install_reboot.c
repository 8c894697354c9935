/* SPDX-License-Identifier: Apache-2.0 */
#include "host/steps/install_reboot.h"

#include <time.h>

#include "host/log/log.h"
#include "host/step/tail.h"
#include "host/steps/install_ending.h"
#include "host/systemd/logind.h"
#include "wire/clock.h"

enum { WHY_MAX = 512 };

static void on_line(void *context, const char *line)
{
    (void)context;
    log_info("reboot: %s", line);
}

static void on_text(void *context, struct text line)
{
    tail_add(context, line);
}

static int run_command(char *const argv[], int64_t limit_ms, struct install_failure *failure)
{
    struct tail tail;
    struct step_result result;
    struct step step = {
        .argv = argv,
        .deadline_ms = clock_deadline(limit_ms),
        .stop_fd = -1, /* once installed, we are asked to stop in vain */
        .on_line = on_line,
        .on_text = on_text,
        .context = &tail,
    };
    tail_init(&tail);
    int error = step_run(&step, &result);
    if (error != 0) {
        return install_fail(failure, ERROR_REBOOT_FAILED,
                            "the reboot command %.128s cannot be started: %s", argv[0],
                            strerror(-error));
    }
    if (result.end == STEP_EXITED && result.exit_status == 0) {
        return 0;
    }
    char how[INSTALL_ENDING_MAX];
    char said[TAIL_MAX + 1];
    install_ending_format(&result, how, sizeof(how));
    tail_join(&tail, said);
    return install_fail(failure, ERROR_REBOOT_FAILED, "the reboot command %.128s %s%s%s", argv[0],
                        how, said[0] != '\0' ? ": " : "", said);
}

static int ask_logind(int64_t delay_ms, struct install_failure *failure)
{
    char why[WHY_MAX];
    if (logind_schedule_reboot(delay_ms, why, sizeof(why)) != 0) {
        return install_fail(failure, ERROR_REBOOT_FAILED, "the reboot cannot be scheduled: %s",
                            why);
    }
    return 0;
}

int install_reboot(const struct conf *conf, int64_t limit_ms, uint64_t *reboot_at,
                   struct install_failure *failure)
{
    bool by_command = conf->reboot.method == CONF_REBOOT_COMMAND;
    int64_t ahead_ms = by_command ? 0 : conf->reboot.delay_ms;
    uint64_t at = (uint64_t)time(NULL) + (uint64_t)(ahead_ms + 999) / 1000;
    int result = by_command ? run_command(conf->reboot.command.items, limit_ms, failure)
                            : ask_logind(conf->reboot.delay_ms, failure);
    if (result == 0) {
        *reboot_at = at;
    }
    return result;
}
