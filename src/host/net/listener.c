/* SPDX-License-Identifier: Apache-2.0 */
#include "host/net/listener.h"

#include <errno.h>
#include <linux/vm_sockets.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

enum { BACKLOG = 1024 }; /* the kernel cuts it to net.core.somaxconn */

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

/* Removes a socket that a dead daemon left. -EADDRINUSE: a live one answers, or it is no socket. */
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

static int bind_to(int fd, const struct address *address, mode_t mode,
                   const struct sockaddr_storage *at, socklen_t length)
{
    if (address->family != AF_UNIX) {
        return bind(fd, (const struct sockaddr *)at, length) < 0 ? -errno : 0;
    }
    int error = clear_path(address, at, length);
    if (error < 0) {
        return error;
    }
    /* The file is made without any permission, so that nobody connects before its mode is right. */
    mode_t mask = umask(0777);
    error = bind(fd, (const struct sockaddr *)at, length) < 0 ? -errno : 0;
    umask(mask);
    if (error == 0 && chmod(address->path, mode) < 0) {
        error = -errno;
    }
    return error;
}

static const char *explain(int error)
{
    switch (error) {
    case -EADDRINUSE:
        return "already in use: another daemon answers there, or the path is not a socket";
    case -EAFNOSUPPORT:
        return "no AF_VSOCK in this kernel: load the module vhost_vsock or vsock_loopback";
    case -EACCES:
    case -EPERM:
        return "permission denied: check the owner and mode of the folder";
    case -ENOENT:
        return "its folder does not exist: make it, or name another path";
    default:
        return strerror(-error);
    }
}

int listener_open(const struct address *address, mode_t unix_mode, struct listener *ret,
                  char problem[CONF_PROBLEM_MAX])
{
    struct sockaddr_storage at;
    socklen_t length = address_to_sockaddr(address, &at);
    struct listener made = {.address = *address};
    int error;

    made.fd = socket(address->family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    error = made.fd < 0 ? -errno : bind_to(made.fd, address, unix_mode, &at, length);
    if (error == 0 && listen(made.fd, BACKLOG) < 0) {
        error = -errno;
    }
    if (error < 0) {
        char text[ADDRESS_TEXT_MAX];
        address_format(address, text);
        (void)snprintf(problem, CONF_PROBLEM_MAX, "cannot listen on %s: %s", text, explain(error));
        if (made.fd >= 0) {
            close(made.fd);
        }
        return error;
    }
    struct stat file;
    if (address->family == AF_UNIX && stat(address->path, &file) == 0) {
        made.device = file.st_dev;
        made.inode = file.st_ino;
    }
    *ret = made;
    return 0;
}

void listener_close(struct listener *listener)
{
    if (listener->fd < 0) {
        return;
    }
    close(listener->fd);
    listener->fd = -1;
    struct stat file;
    if (listener->address.family == AF_UNIX && lstat(listener->address.path, &file) == 0 &&
        file.st_dev == listener->device && file.st_ino == listener->inode) {
        (void)unlink(listener->address.path); /* a left-over is taken over at the next start */
    }
}

static bool contains(const struct conf_numbers *numbers, uint32_t wanted)
{
    for (size_t i = 0; i < numbers->count; i++) {
        if (numbers->items[i] == wanted) {
            return true;
        }
    }
    return false;
}

static bool uid_is_served(const struct conf *conf, uid_t uid)
{
    const struct conf_numbers *uids = &conf->listen.unix_uids;
    return uids->count == 0 ? uid == 0 || uid == geteuid() : contains(uids, uid);
}

int listener_accept(const struct listener *listener, const struct conf *conf, struct peer *ret)
{
    struct sockaddr_vm from = {.svm_cid = VMADDR_CID_ANY};
    bool is_unix = listener->address.family == AF_UNIX;
    socklen_t length = sizeof from;
    int fd = accept4(listener->fd, is_unix ? NULL : (struct sockaddr *)&from,
                     is_unix ? NULL : &length, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (fd < 0) {
        return -errno;
    }
    struct peer peer = {.cid = from.svm_cid, .allowed = true};
    if (is_unix) {
        struct ucred who = {.uid = (uid_t)-1};
        socklen_t size = sizeof who;
        peer.cid = conf->listen.unix_cid;
        peer.allowed = getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &who, &size) == 0 &&
                       uid_is_served(conf, who.uid);
    }
    peer.allowed = peer.allowed && contains(&conf->listen.allowed_cids, peer.cid);
    *ret = peer;
    return fd;
}
