/* SPDX-License-Identifier: Apache-2.0 */
/* vsock_host-install: the part of an upgrade that needs privilege. --help has its exit status,
 * host/install_record.h what it records. */
#include "host/conf/conf.h"
#include "host/digest.h"
#include "host/install/sequence.h"
#include "host/install_record.h"
#include "host/keyfile.h"
#include "host/log.h"
#include "host/process/helper_main.h"
#include "wire/number.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <unistd.h>

static const char help[] =
    "usage: vsock_host-install [--config FILE] SHA256\n"
    "Installs the verified image SHA256.img of [upgrade] directory and requests the reboot.\n"
    "vsock_host starts it; what it did is in the file \"record\" of [install] directory.\n"
    "\n"
    "      --config FILE    the configuration (default " CONF_DEFAULT_PATH ")\n"
    "  -h, --help           this text\n"
    "  -V, --version        the release\n"
    "\n"
    "Exit status:\n"
    "  0  installed, and the reboot is requested\n"
    "  1  failed; the record and the last line of stderr have the reason\n"
    "  2  usage\n"
    "  3  busy: another installation runs; its record is not changed\n"
    "  4  not begun, or not recorded: an error of the configuration or of a directory\n"
    "  5  stopped (SIGTERM, SIGINT): the installer is left running, and holds the lock\n"
    "An image that was installed since the last boot is not installed again: only the reboot is\n"
    "requested.\n";

static int parse_words(void *context, char *const words[], int count,
                       char problem[HELPER_MAIN_PROBLEM_MAX])
{
    if (count != 1) {
        return helper_main_refuse(
            problem, "expected one SHA-256, got %d arguments; see vsock_host-install --help",
            count);
    }
    if (sha256_parse(text_of(words[0]), context) != 0) {
        return helper_main_refuse(problem, "not a SHA-256: %s; expected 64 hex digits", words[0]);
    }
    return 0;
}

/* SIGTERM and SIGINT are read from the descriptor. SIGIO, by which the kernel reports that a process
 * wants to break the image's lease, stays pending: the lease is checked instead. SIGHUP, of a terminal
 * that closed, and SIGPIPE, of a daemon that ended, do not end an installation. */
static int open_stop_signals(void)
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
    (void)signal(SIGCHLD, SIG_DFL); /* ignored, it would hide the installer's end */
    int fd = signalfd(-1, &stop, SFD_CLOEXEC | SFD_NONBLOCK);
    return fd < 0 ? -errno : fd;
}

/* The daemon, another user on a HostOS, reads the record there: hence 0755. */
static int open_directory(const char *path)
{
    if (mkdir(path, 0755) != 0 && errno != EEXIST) {
        return -errno;
    }
    return file_open_directory(AT_FDCWD, path);
}

/* The lock that keeps a second installation from starting. The installer inherits it, and
 * install_state_read checks it. -EBUSY: another process holds it. */
static int open_lock(int directory_fd)
{
    struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    int fd = openat(directory_fd, INSTALL_LOCK_NAME,
                    O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0600);
    if (fd < 0) {
        return -errno;
    }
    /* The daemon, another user on a HostOS, opens it to check; whatever our umask is. */
    int error = fchmod(fd, 0644) == 0 ? 0 : -errno;
    if (error == 0 && fcntl(fd, F_OFD_SETLK, &lock) != 0) {
        error = errno == EAGAIN || errno == EACCES ? -EBUSY : -errno;
    }
    if (error != 0) {
        file_close(fd);
    }
    return error != 0 ? error : fd;
}

static enum install_status run_installation(const struct conf *conf,
                                            const uint8_t sha256[SHA256_SIZE])
{
    struct install_sequence sequence = {.conf = conf, .sha256 = sha256};
    const char *directory = conf->install.directory;
    sequence.stop_fd = open_stop_signals();
    if (sequence.stop_fd < 0) {
        log_error("internal: signalfd: %s", strerror(-sequence.stop_fd));
        return INSTALL_UNRECORDED;
    }
    sequence.directory_fd = open_directory(directory);
    if (sequence.directory_fd < 0) {
        log_error("internal: cannot open %s ([install] directory): %s", directory,
                  strerror(-sequence.directory_fd));
        return INSTALL_UNRECORDED;
    }
    sequence.lock_fd = open_lock(sequence.directory_fd);
    if (sequence.lock_fd == -EBUSY) {
        log_error("busy: another installation holds %s/lock", directory);
        return INSTALL_BUSY;
    }
    if (sequence.lock_fd < 0) {
        log_error("internal: cannot lock %s/lock: %s", directory, strerror(-sequence.lock_fd));
        return INSTALL_UNRECORDED;
    }
    return install_sequence_run(&sequence); /* the descriptors, and the lock, end with us */
}

int main(int argc, char *argv[])
{
    uint8_t sha256[SHA256_SIZE];
    const struct helper_main program = {"vsock_host-install", help, parse_words, sha256};
    const char *config_path = NULL;
    struct conf *conf = NULL;
    char problem[CONF_PROBLEM_MAX];
    int exit_status = 0;
    if (!helper_main_begin(&program, argc, argv, &config_path, &exit_status)) {
        return exit_status;
    }
    digest_library_init();
    if (conf_load(config_path, NULL, &conf, problem) != 0) {
        log_error("%s", problem);
        return INSTALL_UNRECORDED;
    }
    enum install_status status = run_installation(conf, sha256);
    (void)conf_free(conf); /* NULL */
    return (int)status;
}
