/* SPDX-License-Identifier: Apache-2.0 */
#include "host/net/socket_path.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

enum { CLAIM_NAME_MAX = ADDRESS_PATH_MAX + sizeof ".lock" };

static void claim_name(const struct address *address, char out[CLAIM_NAME_MAX])
{
    (void)snprintf(out, CLAIM_NAME_MAX, "%s.lock", address->path);
}

/* True if the file is still the one that the name leads to: its last holder unlinks it. */
static bool is_at(int fd, const char *name)
{
    struct stat held;
    struct stat named;
    return fstat(fd, &held) == 0 && lstat(name, &named) == 0 && held.st_dev == named.st_dev &&
           held.st_ino == named.st_ino;
}

/* The descriptor that holds the claim, or -errno. */
static int claim(const struct address *address)
{
    char name[CLAIM_NAME_MAX];
    claim_name(address, name);
    int fd = open(name, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0) {
        return -errno;
    }
    int error = flock(fd, LOCK_EX | LOCK_NB) < 0 ? -errno : 0;
    if (error == 0 && is_at(fd, name)) {
        return fd;
    }
    close(fd);
    /* Unlinked in between: whoever did it was listening until a moment ago. */
    return error == 0 || error == -EWOULDBLOCK ? -EADDRINUSE : error;
}

static void give_back(int claim_fd, const struct address *address)
{
    char name[CLAIM_NAME_MAX];
    claim_name(address, name);
    (void)unlink(name); /* while it is held; one that stays does no harm */
    close(claim_fd);
}

/* True if a daemon accepts on the path now. */
static bool somebody_answers(const struct sockaddr_storage *at, socklen_t length)
{
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0) {
        return true; /* not known: leave the path alone */
    }
    bool answers = connect(fd, (const struct sockaddr *)at, length) == 0 || errno == EAGAIN;
    close(fd);
    return answers;
}

/* Removes a socket that a dead daemon left; one of another program may be alive without a claim. */
static int clear_path(const struct address *address, const struct sockaddr_storage *at,
                      socklen_t length)
{
    struct stat found;
    if (lstat(address->path, &found) < 0) {
        return errno == ENOENT ? 0 : -errno;
    }
    if (!S_ISSOCK(found.st_mode) || somebody_answers(at, length)) {
        return -EADDRINUSE;
    }
    return unlink(address->path) < 0 && errno != ENOENT ? -errno : 0;
}

static int bind_claimed(int fd, const struct address *address, mode_t mode,
                        struct socket_path *made)
{
    struct sockaddr_storage at;
    socklen_t length = address_to_sockaddr(address, &at);
    int error = clear_path(address, &at, length);
    if (error < 0) {
        return error;
    }
    /* The file is made without any permission, so that nobody connects before its mode is right. */
    mode_t mask = umask(0777);
    error = bind(fd, (const struct sockaddr *)&at, length) < 0 ? -errno : 0;
    umask(mask);
    struct stat file = {0};
    if (error == 0 && (chmod(address->path, mode) < 0 || lstat(address->path, &file) < 0)) {
        error = -errno;
        (void)unlink(address->path); /* the error that is told is the first */
    }
    if (error == 0) {
        made->device = file.st_dev;
        made->inode = file.st_ino;
    }
    return error;
}

int socket_path_bind(int fd, const struct address *address, mode_t mode, struct socket_path *ret)
{
    struct socket_path made = {.claim_fd = claim(address)};
    if (made.claim_fd < 0) {
        return made.claim_fd;
    }
    int error = bind_claimed(fd, address, mode, &made);
    if (error < 0) {
        give_back(made.claim_fd, address);
        return error;
    }
    *ret = made;
    return 0;
}

void socket_path_leave(struct socket_path *path, const struct address *address)
{
    struct stat file;
    if (path->claim_fd < 0) {
        return;
    }
    if (lstat(address->path, &file) == 0 && file.st_dev == path->device &&
        file.st_ino == path->inode) {
        (void)unlink(address->path); /* a left-over is taken over at the next start */
    }
    give_back(path->claim_fd, address);
    path->claim_fd = -1;
}
