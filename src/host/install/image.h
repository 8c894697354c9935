/* SPDX-License-Identifier: Apache-2.0 */
/* The image, from the daemon's directory into one that only this program can enter.
 *
 * It is moved first, so that nobody can put another file in its place; opened there without
 * following links; made ours, mode 0400; leased, which the kernel grants only while no writer and
 * no writable shared mapping is left (fcntl(2), F_SETLEASE); and then hashed. From there on its
 * bytes are those of its name.
 *
 * Threads  one, with SIGIO blocked: that is how the kernel tells that somebody wants to write.
 * Errors   0, or -1 with the reason in `failure`; the image has then been given back or removed.
 * Owner    what was taken is ended with give_back or remove; the descriptors go with it.
 */
#ifndef HOST_INSTALL_IMAGE_H
#define HOST_INSTALL_IMAGE_H

#include "host/conf/conf.h"
#include "host/install/failure.h"
#include "wire/attributes.h"
#include "wire/number.h"

#include <limits.h>
#include <sys/types.h>

/* The directory "image" in [install] directory, mode 0700: where an image is while it is installed,
 * and where there is none otherwise.
 *
 * Errors   0 or -errno.
 */

struct install_image {
    char name[SHA256_HEX + sizeof ".img"];
    char path[PATH_MAX]; /* what the installer is given */
    int upgrade_fd;      /* [upgrade] directory */
    int private_fd;
    int fd;    /* holds the lease */
    uid_t uid; /* what it was, to give it back */
    gid_t gid;
    mode_t mode;
};

/* `stop_fd` readable: hashing ends, and so does this. */
MUST_CHECK int install_image_take(const struct conf *conf, int directory_fd,
                                  const uint8_t sha256[SHA256_SIZE], int stop_fd,
                                  struct install_image *ret, struct install_failure *failure);

/* Back to the daemon, which need not fetch it again when it is asked again. */
void install_image_give_back(struct install_image *image);
void install_image_remove(struct install_image *image);

/* Removes an image that the daemon still holds, and that is installed already. */
void install_image_discard(const struct conf *conf, const uint8_t sha256[SHA256_SIZE]);

#endif
