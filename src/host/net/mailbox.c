/* SPDX-License-Identifier: Apache-2.0 */
#include "host/net/mailbox.h"

#include <errno.h>
#include <sys/eventfd.h>
#include <unistd.h>

int mailbox_init(struct mailbox *mailbox)
{
    int fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (fd < 0) {
        return -errno;
    }
    mailbox->fd = fd;
    atomic_init(&mailbox->head, NULL);
    return 0;
}

void mailbox_done(struct mailbox *mailbox)
{
    close(mailbox->fd);
}

void mailbox_notify(struct mailbox *mailbox)
{
    uint64_t one = 1;
    /* Fails only when the counter is full, and then the bell rings already. */
    ssize_t written = write(mailbox->fd, &one, sizeof one);
    (void)written;
}

void mailbox_post(struct mailbox *mailbox, struct connection *connection)
{
    struct connection *head = atomic_load_explicit(&mailbox->head, memory_order_relaxed);
    do {
        connection->next = head;
    } while (!atomic_compare_exchange_weak_explicit(&mailbox->head, &head, connection,
                                                    memory_order_release, memory_order_relaxed));
    if (head == NULL) { /* else whoever posted that one has rung, and nobody has taken it yet */
        mailbox_notify(mailbox);
    }
}

struct connection *mailbox_take(struct mailbox *mailbox)
{
    uint64_t rung;
    ssize_t got = read(mailbox->fd, &rung, sizeof rung);
    (void)got; /* -EAGAIN: nobody rang; looking at the list is right all the same */
    struct connection *newest =
        atomic_exchange_explicit(&mailbox->head, NULL, memory_order_acquire);
    struct connection *oldest = NULL;
    while (newest != NULL) {
        struct connection *next = newest->next;
        newest->next = oldest;
        oldest = newest;
        newest = next;
    }
    return oldest;
}
