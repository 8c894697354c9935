/* SPDX-License-Identifier: Apache-2.0 */
#include "host/net/listener.h"

#include "host/systemd/notify.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/vm_sockets.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

static void listener_close(struct listener *listener);

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

/* Binds fd, which is not listening yet. */
static int socket_path_bind(int fd, const struct address *address, mode_t mode,
                            struct socket_path *ret)
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

/* Unlinks the socket if it still is the one that was made, and gives the claim back. */
static void socket_path_leave(struct socket_path *path, const struct address *address)
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

/* A path on which nobody answers is taken over; one on which somebody does is -EADDRINUSE. */
static int listener_open(const struct address *address, mode_t unix_mode, struct listener *ret,
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
static const char *check_socket(int fd)
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

/* Takes a socket that systemd made and passed: a stream socket of vsock or Unix that listens. Its file
 * stays systemd's. Takes *fd (sets -1) on success. */
static int listener_adopt(int *fd, struct listener *ret, char problem[CONF_PROBLEM_MAX])
{
    const char *objection = check_socket(*fd);
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

static void listener_close(struct listener *listener)
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

static int open_one(const struct conf *conf, size_t index, struct listener *ret,
                    char problem[CONF_PROBLEM_MAX])
{
    struct address address;
    const char *why;
    const char *wanted = conf->listen.address.items[index];
    int error = address_parse(wanted, ADDRESS_LISTEN, &address, &why);
    if (error < 0) {
        (void)snprintf(problem, CONF_PROBLEM_MAX, "%s: %s", wanted, why);
        return error;
    }
    return listener_open(&address, conf->listen.unix_mode, ret, problem);
}

static int adopt_one(size_t index, struct listener *ret, char problem[CONF_PROBLEM_MAX])
{
    int fd = SERVICE_PASSED_FIRST + (int)index;
    return listener_adopt(&fd, ret, problem); /* one that is refused ends with the process */
}

static int open_all(const struct conf *conf, size_t wanted, struct listener_set *listener_set,
                    char problem[CONF_PROBLEM_MAX])
{
    listener_set->listeners = calloc(wanted, sizeof *listener_set->listeners);
    if (listener_set->listeners == NULL) {
        (void)snprintf(problem, CONF_PROBLEM_MAX, "out of memory");
        return -ENOMEM;
    }
    int error = 0;
    while (error == 0 && listener_set->count < wanted) {
        struct listener *next = &listener_set->listeners[listener_set->count];
        error = listener_set->passed ? adopt_one(listener_set->count, next, problem)
                                     : open_one(conf, listener_set->count, next, problem);
        listener_set->count += error == 0;
    }
    return error;
}

int listener_set_open(const struct conf *conf, struct listener_set *ret,
                      char problem[CONF_PROBLEM_MAX])
{
    int passed = notify_passed_sockets();
    if (passed < 0) {
        (void)snprintf(problem, CONF_PROBLEM_MAX, "the sockets that systemd passed: %s",
                       strerror(-passed));
        return passed;
    }
    struct listener_set listener_set = {.passed = passed > 0};
    size_t wanted = listener_set.passed ? (size_t)passed : conf->listen.address.count;
    int error = open_all(conf, wanted, &listener_set, problem);
    if (error < 0) {
        listener_set_close(&listener_set);
        return error;
    }
    *ret = listener_set;
    return 0;
}

void listener_set_close(struct listener_set *listener_set)
{
    for (size_t i = 0; i < listener_set->count; i++) {
        listener_close(&listener_set->listeners[i]);
    }
    free(listener_set->listeners);
    *listener_set = (struct listener_set){0};
}

void listener_set_describe(const struct listener_set *listener_set, char *out, size_t size)
{
    size_t length = (size_t)snprintf(out, size, "Listening on");
    for (size_t i = 0; i < listener_set->count && length < size; i++) {
        char text[ADDRESS_TEXT_MAX];
        address_format(&listener_set->listeners[i].address, text);
        length += (size_t)snprintf(out + length, size - length, "%s %s", i > 0 ? "," : "", text);
    }
}
