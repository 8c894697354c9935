/* SPDX-License-Identifier: Apache-2.0 */
#include "host/upgrade/installer.h"

#include "host/install_record.h"
#include "host/systemd/unit.h"
#include "host/watchdog.h"
#include "wire/clock.h"
#include "wire/text.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <sys/stat.h>

enum {
    /* What vsock_host-install may need beside the installer's own time: hashing the image again,
     * ending a hung installer, requesting the reboot. It has limits of its own; this is the last
     * resort. */
    MARGIN_MS = 15 * 60 * 1000,
    VERSION_BYTES = 256,
    /* Tests in a row that find another installation. This one may have taken its lock and not yet
     * written its record, where systemd cannot be asked about it. */
    OTHERS_MAX = 10,
    LOOK_MS = WATCHDOG_DISK_MS + UNIT_PENDING_LIMIT_MS,
    UNIT_NAME_SIZE = SHA256_HEX + 64,
};

int start_mark_new(const char *directory, int *ret)
{
    struct flock lock = {.l_type = F_RDLCK, .l_whence = SEEK_SET};
    int fd = file_open_directory(AT_FDCWD, directory);
    if (fd < 0) {
        return fd;
    }
    if (fcntl(fd, F_OFD_SETLK, &lock) != 0) {
        int error = -errno;
        file_close(fd);
        return error;
    }
    *ret = fd;
    return 0;
}

static bool start_mark_is_held(const char *directory)
{
    struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    int fd = file_open_directory(AT_FDCWD, directory);
    bool held = fd >= 0 && fcntl(fd, F_OFD_GETLK, &lock) == 0 && lock.l_type != F_UNLCK;
    file_close(fd);
    return held;
}

static void name_unit(const uint8_t sha256[SHA256_SIZE], char out[UNIT_NAME_SIZE])
{
    char hex[SHA256_HEX + 1];
    sha256_format(sha256, hex);
    (void)snprintf(out, UNIT_NAME_SIZE, "vsock_host-install@%s.service", hex);
}

void installer_run(const struct installer *installer, const uint8_t sha256[SHA256_SIZE],
                   helper_line_function *on_line, void *context, struct helper_result *ret)
{
    char hex[SHA256_HEX + 1];
    char unit[UNIT_NAME_SIZE];
    sha256_format(sha256, hex);
    name_unit(sha256, unit);
    char option[] = "--config";
    char *const argv[] = {installer->conf->steps.install_program, option, installer->config_path,
                          hex, NULL};
    int mark_fd = -1;
    int error = start_mark_new(installer->conf->upgrade.directory, &mark_fd);
    if (error != 0) {
        mark_fd = 0; /* a file system without such locks: only that of vsock_host-install is used */
    }
    const struct helper program = {
        .method = installer->conf->steps.method,
        .argv = argv,
        .unit = unit,
        .deadline_ms = clock_deadline(installer->conf->install.installer_ms + MARGIN_MS),
        .stop_fd = installer->stop_fd,
        .survives = true,
        .inherit_fd = mark_fd,
        .on_line = on_line,
        .context = context,
    };
    watchdog_expect("an installation",
                    installer->conf->install.installer_ms + MARGIN_MS + WATCHDOG_DISK_MS);
    helper_run(&program, ret);
    if (error == 0) {
        file_close(mark_fd);
    }
}

/* Started or about to be, from before it takes its lock: a child by the mark, a unit by asking systemd.
 * Where systemd does not answer, only the lock and the record are used. */
static bool is_start_marked(const struct installer *installer, const uint8_t *sha256)
{
    char unit[UNIT_NAME_SIZE];
    bool pending = false;
    if (start_mark_is_held(installer->conf->upgrade.directory)) {
        return true;
    }
    if (sha256 == NULL || installer->conf->steps.method != CONF_STEP_UNIT) {
        return false;
    }
    name_unit(sha256, unit);
    int error = unit_is_pending(unit, installer->stop_fd, UNIT_PENDING_LIMIT_MS, &pending);
    return pending || error == -ECANCELED; /* nothing is concluded once the daemon stops */
}

/* The first bytes of the file, escaped, because they are stored as one line. */
static void read_version(const char *path, char out[STATE_VERSION_MAX + 1])
{
    char bytes[VERSION_BYTES];
    size_t length = 0;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    bool known = fd >= 0 && file_read(fd, bytes, sizeof bytes, &length) == 0;
    file_close(fd);
    struct text text = {bytes, known ? length : 0};
    (void)escape_text(text, ESCAPE_LINE, out, STATE_VERSION_MAX + 1);
}

static struct record_stamp read_stamp(int directory_fd)
{
    struct stat status;
    if (fstatat(directory_fd, "record", &status, AT_SYMLINK_NOFOLLOW) != 0) {
        return (struct record_stamp){0, 0};
    }
    return (struct record_stamp){
        .inode = status.st_ino,
        .modified_ns =
            (uint64_t)status.st_mtim.tv_sec * 1000000000U + (uint64_t)status.st_mtim.tv_nsec,
    };
}

static void read_record(int directory_fd, struct recover_facts *facts)
{
    struct install_state state;
    int error = install_state_read(directory_fd, &state);
    facts->stamp = read_stamp(directory_fd);
    if (error != 0) {
        facts->found = RECOVER_RECORD_DAMAGED;
        return;
    }
    facts->locked = state.alive;
    if (state.recorded) {
        facts->found = RECOVER_RECORD_READ;
        facts->record = state.record;
    }
}

/* Without the directory there was never an installation. */
static void read_directory(const struct conf *conf, struct recover_facts *facts)
{
    int fd = file_open_directory(AT_FDCWD, conf->install.directory);
    if (fd >= 0) {
        read_record(fd, facts);
    }
    file_close(fd);
}

/* The lock first: systemd is asked only where that does not decide. */
static enum recover_life find_life(const struct installer *installer, const struct state *state)
{
    struct recover_facts facts = {.found = RECOVER_RECORD_NONE};
    read_directory(installer->conf, &facts);
    enum recover_life life = recover_who_lives(state, &facts);
    return life != RECOVER_THIS && is_start_marked(installer, state->sha256) ? RECOVER_THIS : life;
}

int installer_wait(const struct installer *installer, const struct state *state)
{
    int64_t deadline_ms = clock_deadline(installer->conf->install.installer_ms + MARGIN_MS);
    unsigned others = 0;
    watchdog_expect("testing the lock of an installation", LOOK_MS);
    for (;;) {
        enum recover_life life = find_life(installer, state);
        if (life == RECOVER_NOBODY) {
            return 0;
        }
        others = life == RECOVER_ANOTHER ? others + 1 : 0;
        if (others == OTHERS_MAX) {
            return -EBUSY;
        }
        if (clock_ms() >= deadline_ms) {
            return -ETIMEDOUT;
        }
        struct pollfd stop = {.fd = installer->stop_fd, .events = POLLIN};
        if (poll(&stop, 1, (int)installer->poll_ms) > 0) {
            return -ECANCELED;
        }
        watchdog_expect("testing the lock of an installation", LOOK_MS + installer->poll_ms);
    }
}

int installer_facts(const struct installer *installer, const uint8_t *sha256,
                    struct recover_facts *ret)
{
    const struct conf *conf = installer->conf;
    struct recover_facts facts = {.found = RECOVER_RECORD_NONE};
    int error = boot_id_read(facts.boot_id);
    if (error != 0) {
        return error;
    }
    read_version(conf->version.file, facts.version);
    facts.start_mark = is_start_marked(installer, sha256); /* before the lock and the record */
    read_directory(conf, &facts);
    *ret = facts;
    return 0;
}

void installer_sweep(const struct installer *installer, const uint8_t sha256[SHA256_SIZE])
{
    int fd = file_open_directory(AT_FDCWD, installer->conf->install.directory);
    if (fd >= 0) {
        install_state_sweep(fd, sha256);
    }
    file_close(fd);
}
