/* SPDX-License-Identifier: Apache-2.0 */
#include "host/install/image.h"

#include "host/digest.h"
#include "host/install_record.h"
#include "host/keyfile.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int remove_entries(int directory_fd)
{
    int error = 0;
    int fd = file_open_directory(directory_fd, ".");
    DIR *directory = fd < 0 ? NULL : fdopendir(fd);
    if (directory == NULL) {
        file_close(fd); /* errno stays */
        return fd < 0 ? fd : -errno;
    }
    for (const struct dirent *entry; error == 0 && (entry = readdir(directory)) != NULL;) {
        bool dots = strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0;
        if (!dots && unlinkat(directory_fd, entry->d_name, 0) != 0 &&
            unlinkat(directory_fd, entry->d_name, AT_REMOVEDIR) != 0) {
            error = -errno;
        }
    }
    (void)closedir(directory); /* nothing was written */
    return error;
}

/* Creates it if need be, and removes what a killed run left in it. */
static int open_staging(int directory_fd, int *ret)
{
    if (mkdirat(directory_fd, INSTALL_STAGING_NAME, 0700) != 0 && errno != EEXIST) {
        return -errno;
    }
    int fd = file_open_directory(directory_fd, INSTALL_STAGING_NAME);
    if (fd < 0) {
        return fd;
    }
    int error = fchmod(fd, 0700) != 0 ? -errno : remove_entries(fd);
    if (error != 0) {
        file_close(fd);
        return error;
    }
    *ret = fd;
    return 0;
}

static void format_name(const uint8_t sha256[SHA256_SIZE], char name[SHA256_HEX + sizeof ".img"])
{
    sha256_format(sha256, name);
    memcpy(name + SHA256_HEX, ".img", sizeof ".img");
}

static void close_all(struct install_image *image)
{
    int *const fds[] = {&image->fd, &image->staging_fd, &image->upgrade_fd};
    for (size_t i = 0; i < sizeof fds / sizeof fds[0]; i++) {
        file_close(*fds[i]);
        *fds[i] = -1;
    }
}

static int open_directories(const struct conf *conf, int directory_fd, struct install_image *image,
                            struct install_failure *failure)
{
    image->upgrade_fd = file_open_directory(AT_FDCWD, conf->upgrade.directory);
    if (image->upgrade_fd < 0) {
        return install_fail(failure, ERROR_INTERNAL, "cannot open %s ([upgrade] directory): %s",
                            conf->upgrade.directory, strerror(-image->upgrade_fd));
    }
    int error = open_staging(directory_fd, &image->staging_fd);
    if (error != 0) {
        return install_fail(failure, ERROR_INTERNAL, "cannot prepare %s/%s: %s",
                            conf->install.directory, INSTALL_STAGING_NAME, strerror(-error));
    }
    return 0;
}

static int move_image(const struct conf *conf, struct install_image *image,
                      struct install_failure *failure)
{
    if (renameat(image->upgrade_fd, image->name, image->staging_fd, image->name) == 0) {
        return 0;
    }
    if (errno == EXDEV) {
        return install_fail(failure, ERROR_INSTALL_FAILED,
                            "[upgrade] directory = %s and [install] directory = %s are on "
                            "different file systems or mounts; the image can only be moved within "
                            "one",
                            conf->upgrade.directory, conf->install.directory);
    }
    return install_fail(failure, ERROR_INTERNAL, "cannot move the image %s/%s: %s",
                        conf->upgrade.directory, image->name, strerror(errno));
}

/* In the staging directory: what is opened stays there. */
static int open_image(struct install_image *image, struct install_failure *failure)
{
    struct stat status;
    image->fd =
        openat(image->staging_fd, image->name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    if (image->fd < 0 && errno == ELOOP) {
        return install_fail(failure, ERROR_INTERNAL, "the image %s is a symbolic link",
                            image->name);
    }
    if (image->fd < 0 || fstat(image->fd, &status) != 0) {
        return install_fail(failure, ERROR_INTERNAL, "cannot open the image %s: %s", image->name,
                            strerror(errno));
    }
    /* With a second name it could be a file of another user, not of the daemon. */
    if (!S_ISREG(status.st_mode) || status.st_nlink != 1) {
        return install_fail(failure, ERROR_INTERNAL,
                            "the image %s is not a regular file with one name", image->name);
    }
    image->uid = status.st_uid;
    image->gid = status.st_gid;
    image->mode = status.st_mode & 0777;
    return 0;
}

static int lease_image(struct install_image *image, struct install_failure *failure)
{
    if (fchown(image->fd, geteuid(), getegid()) != 0 || fchmod(image->fd, 0400) != 0) {
        return install_fail(failure, ERROR_INTERNAL,
                            "cannot change owner and mode of the image %s: %s", image->name,
                            strerror(errno));
    }
    if (fcntl(image->fd, F_SETLEASE, F_RDLCK) == 0) {
        return 0;
    }
    if (errno == EAGAIN) {
        return install_fail(
            failure, ERROR_INSTALL_FAILED,
            "the image %s is still open for writing, or mapped writable, by another "
            "process",
            image->name);
    }
    return install_fail(failure, ERROR_INTERNAL, "cannot lease the image %s: %s", image->name,
                        strerror(errno));
}

static bool is_stopped(void *context)
{
    struct pollfd stop = {.fd = *(int *)context, .events = POLLIN};
    return poll(&stop, 1, 0) > 0;
}

static int hash_file(int fd, int stop_fd, uint8_t ret[SHA256_SIZE])
{
    struct digest *digest = NULL;
    int error = digest_new(true, &digest);
    if (error != 0) {
        return error;
    }
    error = digest_file(digest, fd, UINT64_MAX, is_stopped, &stop_fd);
    if (error == 0) {
        digest_finish(digest, ret);
    }
    (void)digest_free(digest); /* NULL */
    return error;
}

static int verify_image(const struct install_image *image, const uint8_t sha256[SHA256_SIZE],
                        int stop_fd, struct install_failure *failure)
{
    uint8_t found[SHA256_SIZE];
    int error = hash_file(image->fd, stop_fd, found);
    if (error == -ECANCELED) {
        return install_fail(failure, ERROR_INTERNAL,
                            "stopped by a signal before the installer was started");
    }
    if (error != 0) {
        return install_fail(failure, ERROR_INTERNAL, "cannot read the image %s: %s", image->name,
                            strerror(-error));
    }
    if (memcmp(found, sha256, SHA256_SIZE) != 0) {
        char hex[SHA256_HEX + 1];
        sha256_format(found, hex);
        return install_fail(failure, ERROR_HASH_MISMATCH,
                            "the image has the SHA-256 %s, expected %.*s", hex, SHA256_HEX,
                            image->name);
    }
    /* Another type: the lease was broken while we read. */
    if (fcntl(image->fd, F_GETLEASE) != F_RDLCK) {
        return install_fail(failure, ERROR_INSTALL_FAILED,
                            "the image %s was opened for writing while it was verified",
                            image->name);
    }
    return 0;
}

void install_image_remove(struct install_image *image)
{
    /* What cannot be removed now is removed by the next open_staging. Durable before the next record:
     * else the image may be back after a power loss, and no next installation removes it. */
    (void)unlinkat(image->staging_fd, image->name, 0);
    (void)fsync(image->staging_fd);
    (void)fsync(image->upgrade_fd);
    close_all(image);
}

static void move_back(struct install_image *image)
{
    if (renameat2(image->staging_fd, image->name, image->upgrade_fd, image->name,
                  RENAME_NOREPLACE) != 0) {
        install_image_remove(image);
    } else {
        close_all(image);
    }
}

static int secure_image(struct install_image *image, const uint8_t sha256[SHA256_SIZE], int stop_fd,
                        struct install_failure *failure)
{
    if (open_image(image, failure) != 0) {
        move_back(image); /* unchanged: owner and mode were not set */
        return -1;
    }
    if (lease_image(image, failure) != 0 || verify_image(image, sha256, stop_fd, failure) != 0) {
        if (failure->code == ERROR_HASH_MISMATCH) {
            install_image_remove(image);
        } else {
            install_image_give_back(image);
        }
        return -1;
    }
    return 0;
}

int install_image_take(const struct conf *conf, int directory_fd, const uint8_t sha256[SHA256_SIZE],
                       int stop_fd, struct install_image *ret, struct install_failure *failure)
{
    struct install_image image = {.upgrade_fd = -1, .staging_fd = -1, .fd = -1};
    format_name(sha256, image.name);
    int length = snprintf(image.path, sizeof image.path, "%s/%s/%s", conf->install.directory,
                          INSTALL_STAGING_NAME, image.name);
    if (length < 0 || (size_t)length >= sizeof image.path) {
        return install_fail(failure, ERROR_INTERNAL, "%s ([install] directory) is too long",
                            conf->install.directory);
    }
    if (open_directories(conf, directory_fd, &image, failure) != 0 ||
        move_image(conf, &image, failure) != 0) {
        close_all(&image);
        return -1;
    }
    if (secure_image(&image, sha256, stop_fd, failure) != 0) {
        return -1;
    }
    *ret = image;
    return 0;
}

void install_image_give_back(struct install_image *image)
{
    if (fchown(image->fd, image->uid, image->gid) != 0 || fchmod(image->fd, image->mode) != 0) {
        install_image_remove(image);
    } else {
        move_back(image);
    }
}

void install_image_discard(const struct conf *conf, const uint8_t sha256[SHA256_SIZE])
{
    char name[SHA256_HEX + sizeof ".img"];
    format_name(sha256, name);
    int fd = file_open_directory(AT_FDCWD, conf->upgrade.directory);
    if (fd >= 0) {
        (void)unlinkat(fd, name, 0); /* usually the daemon has removed it */
        (void)fsync(fd);             /* as in install_image_remove */
        file_close(fd);
    }
}
