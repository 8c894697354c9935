/* SPDX-License-Identifier: Apache-2.0 */
/* vsock_host-install: what of an upgrade needs privilege, and nothing else. See --help for what it
 * returns, host/file/record.h for what it writes down. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <unistd.h>

#include "host/digest/digest.h"
#include "host/log/log.h"
#include "host/steps/descriptors.h"
#include "host/steps/install_lock.h"
#include "host/steps/install_options.h"
#include "host/steps/install_sequence.h"

/* SIGTERM and SIGINT are read from the descriptor. SIGIO, which tells that somebody wants to break
 * the image's lease, stays pending: the lease is looked at instead. SIGHUP, of a terminal that went
 * away, and SIGPIPE, of a daemon that did, end nothing that has begun. */
static int take_signals(void)
{
    sigset_t stop;
    sigset_t blocked;
    (void)sigemptyset(&stop); /* none of these can fail */
    (void)sigaddset(&stop, SIGTERM);
    (void)sigaddset(&stop, SIGINT);
    blocked = stop;
    (void)sigaddset(&blocked, SIGIO);
    (void)sigprocmask(SIG_SETMASK, &blocked, NULL);
    (void)signal(SIGHUP, SIG_IGN);
    (void)signal(SIGPIPE, SIG_IGN);
    (void)signal(SIGCHLD, SIG_DFL); /* ignored, it would take the installer's end from us */
    int fd = signalfd(-1, &stop, SFD_CLOEXEC | SFD_NONBLOCK);
    return fd < 0 ? -errno : fd;
}

/* The daemon reads the record there, as another user on a HostOS: hence 0755. */
static int open_directory(const char *path)
{
    if (mkdir(path, 0755) != 0 && errno != EEXIST) {
        return -errno;
    }
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    return fd < 0 ? -errno : fd;
}

static enum install_status refuse_lock(const char *directory, int error)
{
    if (error == -EBUSY) {
        log_error("busy: an installation still lives; it holds %s/lock", directory);
        return INSTALL_BUSY;
    }
    log_error("internal: %s/lock: %s", directory, strerror(-error));
    return INSTALL_UNRECORDED;
}

static enum install_status run(const struct conf *conf, const uint8_t sha256[SHA256_SIZE])
{
    struct install_sequence sequence = {.conf = conf, .sha256 = sha256};
    sequence.stop_fd = take_signals();
    if (sequence.stop_fd < 0) {
        log_error("internal: signalfd: %s", strerror(-sequence.stop_fd));
        return INSTALL_UNRECORDED;
    }
    sequence.directory_fd = open_directory(conf->install.directory);
    if (sequence.directory_fd < 0) {
        log_error("internal: [install] directory = %s: %s", conf->install.directory,
                  strerror(-sequence.directory_fd));
        return INSTALL_UNRECORDED;
    }
    int error = install_lock_take(sequence.directory_fd, &sequence.lock_fd);
    if (error != 0) {
        return refuse_lock(conf->install.directory, error);
    }
    return install_sequence_run(&sequence); /* the descriptors, and the lock, end with us */
}

int main(int argc, char *argv[])
{
    struct install_options options;
    struct conf *conf = NULL;
    char usage[COMMAND_LINE_PROBLEM_MAX];
    char problem[CONF_PROBLEM_MAX];
    descriptors_open_standard();
    if (install_options_parse(argc, argv, &options, usage) != 0) {
        fprintf(stderr, "vsock_host-install: %s\n", usage);
        return INSTALL_USAGE;
    }
    if (options.action != COMMAND_LINE_RUN) {
        return command_line_answer(options.action, "vsock_host-install", install_options_help)
                   ? INSTALL_DONE
                   : INSTALL_FAILED;
    }
    log_init("vsock_host-install", LOG_AUTO, false);
    digest_library_init();
    if (conf_load(options.config_path, NULL, &conf, problem) != 0) {
        log_error("%s", problem);
        return INSTALL_UNRECORDED;
    }
    enum install_status status = run(conf, options.sha256);
    (void)conf_free(conf); /* NULL */
    return (int)status;
}
