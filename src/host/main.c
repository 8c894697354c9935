/* SPDX-License-Identifier: Apache-2.0 */
/* vsock_host: the HostOS's end of the door.
 *
 * Threads and what each owns: docs/architecture.md. Locks, by rank; a thread that holds one takes
 * only locks of a higher rank, and none is held over I/O, a callback, a log line or a library call:
 *
 *     rank  lock                  what it guards
 *     2     pool (net/pool.c)     the queue of connections with a whole frame
 *     3     job (upgrade/job.c)   the upgrade's queue and its present state
 *     4     console (console.c)   the queue of messages
 */
#include <stdio.h>
#include <string.h>

#include "host/conf/conf.h"
#include "host/daemon.h"
#include "host/log/log.h"
#include "host/options.h"
#include "host/upgrade/job.h"
#include "wire/payload_text.h"

static int check(const struct options *options)
{
    (void)printf("%s: ok\n", options->config);
    return 0;
}

static int dump(const struct conf *conf)
{
    int error = conf_dump(conf, stdout);
    if (error < 0 || fflush(stdout) != 0) {
        (void)fprintf(stderr, "vsock_host: error: cannot write the configuration: %s\n",
                      strerror(error < 0 ? -error : 5));
        return 1;
    }
    return 0;
}

static int status(const struct conf *conf)
{
    struct job_view view;
    int error = job_status_read(conf, &view);
    if (error < 0) {
        (void)fprintf(stderr, "vsock_host: error: cannot read the state in %s: %s\n",
                      conf->upgrade.directory, strerror(-error));
        return 1;
    }
    struct answer answer = {
        .type = ANSWER_RESPONSE, .kind = PAYLOAD_UPGRADE_STATUS, .status = view.status};
    char line[JOB_TEXT_MAX + 256];
    payload_text(&answer, line, sizeof line);
    return puts(line) < 0 || fflush(stdout) != 0 ? 1 : 0;
}

int main(int argc, char **argv)
{
    struct options options;
    int done = options_parse(argc, argv, &options);
    if (done >= 0) {
        return done;
    }
    struct conf *conf;
    char problem[CONF_PROBLEM_MAX];
    if (conf_load(options.config, options.listen, &conf, problem) < 0) {
        (void)fprintf(stderr, "vsock_host: error: %s\n", problem);
        return 1;
    }
    int code;
    switch (options.mode) {
    case OPTIONS_CHECK:
        code = check(&options);
        break;
    case OPTIONS_DUMP:
        code = dump(conf);
        break;
    case OPTIONS_STATUS:
        code = status(conf);
        break;
    case OPTIONS_RUN:
    default:
        log_init("vsock_host", options.log, options.verbose);
        code = daemon_run(conf, options.config);
        break;
    }
    conf_free(conf);
    return code;
}
