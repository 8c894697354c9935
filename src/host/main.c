/* SPDX-License-Identifier: Apache-2.0 */
/* vsock_host: the daemon on the HostOS.
 *
 * Threads and what each owns: docs/architecture.md. Locks, by rank; a thread that holds one takes
 * only locks of a higher rank, and none is held over I/O, a callback, a log line or a library call:
 *
 *     rank  lock                          what it guards
 *     2     pool (net/worker.c)          the queue of connections with a whole frame
 *     3     upgrade (upgrade/upgrade.c)  the upgrade's queue and its current state
 *     4     console (console.c)          the queue of messages
 *     5     ring (digest.c)              the positions of a digest's writer and reader
 *     6     operation (operation.c)      the queue of operations and the state of each
 */
#include "host/conf/conf.h"
#include "host/daemon.h"
#include "host/log.h"
#include "host/options.h"
#include "host/upgrade/upgrade.h"
#include "wire/payload_text.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* The exit status after the output. */
static int flush_output(void)
{
    return fflush(stdout) != 0 || ferror(stdout) ? 1 : 0;
}

static int print_conf(const struct conf *conf)
{
    int error = conf_dump(conf, stdout);
    if (error < 0) {
        (void)fprintf(stderr, "vsock_host: error: cannot write the configuration: %s\n",
                      strerror(-error));
    }
    return error < 0 ? 1 : 0;
}

static int print_status(const struct conf *conf)
{
    struct pending_view view;
    int error = upgrade_status_read(conf, &view);
    if (error < 0) {
        (void)fprintf(stderr, "vsock_host: error: cannot read the state in %s: %s\n",
                      conf->upgrade.directory, strerror(-error));
        return 1;
    }
    struct answer answer = {
        .type = ANSWER_RESPONSE, .kind = PAYLOAD_UPGRADE_STATUS, .status = view.status};
    char line[PENDING_TEXT_MAX + 256];
    payload_text(&answer, line, sizeof line);
    (void)puts(line);
    return flush_output();
}

/* The path from the root. Symbolic links are not resolved: drop-ins are beside the name that was
 * given. NULL with errno set. */
static char *make_absolute(const char *path)
{
    if (path[0] == '/') {
        return strdup(path);
    }
    char *folder = getcwd(NULL, 0);
    char *whole = NULL;
    if (folder != NULL && asprintf(&whole, "%s/%s", folder, path) < 0) {
        whole = NULL;
    }
    free(folder);
    return whole;
}

static int run_daemon(const struct options *options, const struct conf *conf)
{
    char *path = make_absolute(options->config_path); /* helper programs run in another folder */
    if (path == NULL) {
        (void)fprintf(stderr, "vsock_host: error: %s: cannot find the current directory: %s\n",
                      options->config_path, strerror(errno));
        return 1;
    }
    log_init("vsock_host", options->log, options->verbose);
    int code = daemon_run(conf, path, options->listen[0] != NULL ? options->listen : NULL,
                          options->hsm_results);
    free(path);
    return code;
}

/* What needs the configuration. */
static int run_action(const struct options *options, const struct conf *conf)
{
    if (options->action == OPTIONS_CHECK_CONFIG) {
        (void)printf("%s: ok\n", options->config_path);
        return flush_output();
    }
    if (options->action == OPTIONS_DUMP_CONFIG) {
        return print_conf(conf);
    }
    if (options->action == OPTIONS_STATUS) {
        return print_status(conf);
    }
    return run_daemon(options, conf);
}

int main(int argc, char *argv[])
{
    struct options options;
    struct conf *conf;
    char problem[CONF_PROBLEM_MAX];
    if (options_parse(argc, argv, &options, problem) < 0) {
        (void)fprintf(stderr, "vsock_host: error: %s\n", problem);
        return 2;
    }
    if (options.action == OPTIONS_HELP) {
        options_print_help(stdout);
        return flush_output();
    }
    if (options.action == OPTIONS_VERSION) {
        (void)puts("vsock_host " VSOCK_VERSION);
        return flush_output();
    }
    char *const *listen = options.listen[0] != NULL ? options.listen : NULL;
    if (conf_load(options.config_path, listen, &conf, problem) < 0) {
        (void)fprintf(stderr, "vsock_host: error: %s\n", problem);
        return 1;
    }
    int code = run_action(&options, conf);
    conf_free(conf);
    return code;
}
