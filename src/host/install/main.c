/* SPDX-License-Identifier: Apache-2.0 */
#include "host/install/main.h"

#include "host/conf/conf.h"
#include "host/digest.h"
#include "host/install/sequence.h"
#include "host/install_record.h"
#include "host/log.h"
#include "host/process/helper_main.h"
#include "wire/number.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <unistd.h>

static int take(int fd)
{
    struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    /* The daemon, another user on a HostOS, opens it to ask; whatever our umask is. */
    if (fchmod(fd, 0644) != 0) {
        return -errno;
    }
    if (fcntl(fd, F_OFD_SETLK, &lock) != 0) {
        return errno == EAGAIN || errno == EACCES ? -EBUSY : -errno;
    }
    return 0;
}

/* The lock that keeps a second installation from starting while one lives: held by
 * vsock_host-install and inherited by its installer (host/file/install_state.h asks about it).
 *
 * Errors   0 or -errno; -EBUSY somebody holds it.
 * Owner    the caller closes the descriptor; the lock ends with its last copy.
 */
static int install_lock_take(int directory_fd, int *ret)
{
    int fd = openat(directory_fd, INSTALL_LOCK_NAME,
                    O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0600);
    if (fd < 0) {
        return -errno;
    }
    int error = take(fd);
    if (error != 0) {
        (void)close(fd); /* nothing was written */
        return error;
    }
    *ret = fd;
    return 0;
}

#define PROGRAM "vsock_host-install"

const char install_options_help[] =
    "usage: vsock_host-install [--config FILE] SHA256\n"
    "Installs the verified image SHA256.img of [upgrade] directory and asks for the reboot.\n"
    "vsock_host starts it; what it did is in the file \"record\" of [install] directory.\n"
    "\n"
    "      --config FILE    the configuration (default " CONF_DEFAULT_PATH ")\n"
    "  -h, --help           this text\n"
    "  -V, --version        the release\n"
    "\n"
    "Exit status:\n"
    "  0  installed, and the reboot is asked for\n"
    "  1  failed; the record and the last line of stderr say why\n"
    "  2  usage\n"
    "  3  busy: another installation lives; its record is left alone\n"
    "  4  nothing was begun, or nothing could be recorded: the configuration or a directory\n"
    "  5  told to stop (SIGTERM, SIGINT): the installer is left running, and holds the lock\n"
    "An image that this boot's record says is installed is not installed again: only the\n"
    "reboot is asked for.\n";

static int take_hash(const struct command_line *line, uint8_t sha256[SHA256_SIZE],
                     char problem[COMMAND_LINE_PROBLEM_MAX])
{
    if (line->count != 1) {
        return command_line_refuse(
            problem, "expected one SHA-256, got %d arguments; see " PROGRAM " --help", line->count);
    }
    if (sha256_parse(text_of(line->words[0]), sha256) != 0) {
        return command_line_refuse(problem, "%s is no SHA-256; expected 64 hex digits",
                                   line->words[0]);
    }
    return 0;
}

static int install_options_parse(int argc, char *argv[], struct install_options *ret,
                                 char problem[COMMAND_LINE_PROBLEM_MAX])
{
    struct command_line line;
    int error = command_line_parse(argc, argv, PROGRAM, &line, problem);
    if (error != 0) {
        return error;
    }
    struct install_options options = {.action = line.action, .config_path = line.config_path};
    if (line.action == COMMAND_LINE_RUN) {
        error = take_hash(&line, options.sha256, problem);
        if (error != 0) {
            return error;
        }
    }
    *ret = options;
    return 0;
}

/* vsock_host-install: what of an upgrade needs privilege, and nothing else. See --help for what it
 * returns, host/file/record.h for what it writes down. */

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
