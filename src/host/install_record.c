/* SPDX-License-Identifier: Apache-2.0 */
#include "host/install_record.h"

#include "wire/number.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define RECORD_NAME "record"

static const char *const stage_names[] = {
    [RECORD_STARTED] = "started",
    [RECORD_FAILED] = "failed",
    [RECORD_INSTALLED] = "installed",
    [RECORD_REBOOTING] = "rebooting",
};
enum { STAGE_COUNT = sizeof stage_names / sizeof stage_names[0] };

int install_record_write(int directory_fd, const struct install_record *record)
{
    struct keyfile file;
    char hex[SHA256_HEX + 1];
    sha256_format(record->sha256, hex);
    keyfile_init(&file);
    keyfile_set(&file, "stage", stage_names[record->stage]);
    keyfile_set(&file, "sha256", hex);
    keyfile_set(&file, "boot_id", record->boot_id);
    keyfile_set_number(&file, "started", record->started);
    keyfile_set_number(&file, "ended", record->ended);
    keyfile_set_number(&file, "reboot_at", record->reboot_at);
    if (record->exit_status >= 0) {
        keyfile_set_number(&file, "exit_status", (uint64_t)record->exit_status);
    }
    if (record->code != ERROR_NONE) {
        keyfile_set(&file, "code", error_name(record->code));
    }
    keyfile_set(&file, "text", record->text);
    /* Readable by the daemon, which is another user on a HostOS. */
    return keyfile_write(&file, directory_fd, RECORD_NAME, 0644);
}

static bool get_stage(const struct keyfile *file, enum install_record_stage *ret)
{
    char name[16];
    if (keyfile_get(file, "stage", name, sizeof name) != 0) {
        return false;
    }
    for (int i = 0; i < STAGE_COUNT; i++) {
        if (strcmp(name, stage_names[i]) == 0) {
            *ret = (enum install_record_stage)i;
            return true;
        }
    }
    return false;
}

static bool get_sha256(const struct keyfile *file, uint8_t ret[SHA256_SIZE])
{
    char hex[SHA256_HEX + 1];
    return keyfile_get(file, "sha256", hex, sizeof hex) == 0 &&
           sha256_parse(text_of(hex), ret) == 0;
}

static bool get_boot_id(const struct keyfile *file, char ret[BOOT_ID_SIZE])
{
    return keyfile_get(file, "boot_id", ret, BOOT_ID_SIZE) == 0 &&
           strlen(ret) == BOOT_ID_SIZE - 1 && strspn(ret, "0123456789abcdef-") == BOOT_ID_SIZE - 1;
}

static bool get_exit_status(const struct keyfile *file, int *ret)
{
    uint64_t status = 0;
    int error = keyfile_get_number(file, "exit_status", &status);
    *ret = error == 0 ? (int)(status & 255) : -1;
    return error == -ENOENT || (error == 0 && status <= 255);
}

static bool get_code(const struct keyfile *file, enum error_code *ret)
{
    char name[32];
    int error = keyfile_get(file, "code", name, sizeof name);
    *ret = ERROR_NONE;
    if (error != 0) {
        return error == -ENOENT;
    }
    for (unsigned code = 1; code <= ERROR_LAST; code++) {
        if (strcmp(name, error_name(code)) == 0) {
            *ret = (enum error_code)code;
            return true;
        }
    }
    return false;
}

int install_record_read(int directory_fd, struct install_record *ret)
{
    struct keyfile file;
    int error = keyfile_read(directory_fd, RECORD_NAME, &file);
    if (error != 0) {
        return error;
    }
    struct install_record record = {.exit_status = -1};
    if (!get_stage(&file, &record.stage) || !get_sha256(&file, record.sha256) ||
        !get_boot_id(&file, record.boot_id) ||
        keyfile_get_number(&file, "started", &record.started) != 0 ||
        keyfile_get_number(&file, "ended", &record.ended) != 0 ||
        keyfile_get_number(&file, "reboot_at", &record.reboot_at) != 0 ||
        !get_exit_status(&file, &record.exit_status) || !get_code(&file, &record.code) ||
        keyfile_get(&file, "text", record.text, sizeof record.text) != 0) {
        return -EBADMSG;
    }
    *ret = record;
    return 0;
}

static int test_lock(int directory_fd, bool *ret)
{
    struct flock lock = {.l_type = F_RDLCK, .l_whence = SEEK_SET};
    int fd =
        openat(directory_fd, INSTALL_LOCK_NAME, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0) {
        *ret = false;
        return errno == ENOENT ? 0 : -errno;
    }
    int error = fcntl(fd, F_OFD_GETLK, &lock) != 0 ? -errno : 0;
    file_close(fd);
    *ret = error == 0 && lock.l_type != F_UNLCK;
    return error;
}

int install_state_read(int directory_fd, struct install_state *ret)
{
    struct install_state state = {.alive = false};
    int error = test_lock(directory_fd, &state.alive);
    if (error != 0) {
        return error;
    }
    error = install_record_read(directory_fd, &state.record);
    if (error != 0 && error != -ENOENT) {
        return error;
    }
    state.recorded = error == 0;
    *ret = state;
    return 0;
}

static void remove_image(int directory_fd, const uint8_t sha256[SHA256_SIZE])
{
    char hex[SHA256_HEX + 1];
    char name[SHA256_HEX + sizeof ".img"];
    int fd = file_open_directory(directory_fd, INSTALL_STAGING_NAME);
    if (fd < 0) {
        return;
    }
    sha256_format(sha256, hex);
    (void)snprintf(name, sizeof name, "%s.img", hex);
    if (unlinkat(fd, name, 0) == 0) {
        (void)fsync(fd); /* else it may be back after a power loss, and then stay */
    }
    file_close(fd);
}

void install_state_sweep(int directory_fd, const uint8_t sha256[SHA256_SIZE])
{
    struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    int fd = openat(directory_fd, INSTALL_LOCK_NAME, O_RDWR | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0) {
        return;
    }
    if (fcntl(fd, F_OFD_SETLK, &lock) == 0) {
        remove_image(directory_fd, sha256);
    }
    file_close(fd); /* this releases the lock */
}
