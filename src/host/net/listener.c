/* SPDX-License-Identifier: Apache-2.0 */
#include "host/net/listener.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/vm_sockets.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

enum { BACKLOG = 1024 }; /* the kernel cuts it to net.core.somaxconn */

static int bind_to(int fd, const struct address *address, mode_t mode, struct socket_path *path)
{
    if (address->family == AF_UNIX) {
        return socket_path_bind(fd, address, mode, path);
    }
    struct sockaddr_storage at;
    socklen_t length = address_to_sockaddr(address, &at);
    return bind(fd, (const struct sockaddr *)&at, length) < 0 ? -errno : 0;
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
    struct listener made = {.address = *address, .path = {.claim_fd = -1}};
    made.fd = socket(address->family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    int error = made.fd < 0 ? -errno : bind_to(made.fd, address, unix_mode, &made.path);
    if (error == 0 && listen(made.fd, BACKLOG) < 0) {
        error = -errno;
    }
    if (error < 0) {
        char text[ADDRESS_TEXT_MAX];
        address_format(address, text);
        (void)snprintf(problem, CONF_PROBLEM_MAX, "cannot listen on %s: %s", text, explain(error));
        listener_close(&made);
        return error;
    }
    *ret = made;
    return 0;
}

/* One number that the kernel knows about a socket; -1: none. */
static int option_of(int fd, int option)
{
    int value = -1;
    socklen_t size = sizeof value;
    return getsockopt(fd, SOL_SOCKET, option, &value, &size) == 0 ? value : -1;
}

/* NULL: it can be taken. */
static const char *object_to(int fd)
{
    int family = option_of(fd, SO_DOMAIN);
    if (family != AF_VSOCK && family != AF_UNIX) {
        return "allowed: ListenStream= of vsock or of a Unix socket";
    }
    if (option_of(fd, SO_TYPE) != SOCK_STREAM) {
        return "it is no stream socket; allowed: ListenStream=";
    }
    return option_of(fd, SO_ACCEPTCONN) == 1 ? NULL : "it does not listen; allowed: Accept=no";
}

/* Where a socket is bound; an abstract Unix name is shown with @ before it. */
static void read_address(int fd, struct address *ret)
{
    union {
        struct sockaddr_storage any;
        struct sockaddr_vm vsock;
        struct sockaddr_un local;
    } at = {0};
    socklen_t length = sizeof at;
    (void)getsockname(fd, (struct sockaddr *)&at, &length); /* cannot fail: it is a socket */
    *ret = (struct address){.family = at.any.ss_family};
    if (ret->family == AF_VSOCK) {
        ret->cid = at.vsock.svm_cid;
        ret->port = at.vsock.svm_port;
        return;
    }
    bool abstract = at.local.sun_path[0] == '\0';
    ret->path[0] = '@'; /* overwritten unless it is abstract */
    size_t room = sizeof ret->path - 1 - abstract;
    memcpy(ret->path + abstract, at.local.sun_path + abstract,
           strnlen(at.local.sun_path + abstract, room));
}

int listener_adopt(int *fd, struct listener *ret, char problem[CONF_PROBLEM_MAX])
{
    const char *objection = object_to(*fd);
    int flags = objection == NULL ? fcntl(*fd, F_GETFL) : 0;
    int error = objection != NULL ? -EINVAL : 0;
    if (error == 0 && (flags < 0 || fcntl(*fd, F_SETFL, flags | O_NONBLOCK) < 0)) {
        error = -errno;
        objection = strerror(errno);
    }
    if (error < 0) {
        (void)snprintf(problem, CONF_PROBLEM_MAX, "descriptor %d that systemd passed: %s", *fd,
                       objection);
        return error;
    }
    *ret = (struct listener){.fd = *fd, .path = {.claim_fd = -1}};
    read_address(*fd, &ret->address);
    *fd = -1;
    return 0;
}

void listener_close(struct listener *listener)
{
    if (listener->fd >= 0) {
        close(listener->fd);
        listener->fd = -1;
    }
    socket_path_leave(&listener->path, &listener->address);
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
