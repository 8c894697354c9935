/* SPDX-License-Identifier: Apache-2.0 */
/* A domain's XML: what of it concerns the HSM. The one file that knows libxml2.
 *
 * No network, no entities (a document with a DTD is refused), no documents without bounds.
 *
 * Threads  one.
 * Errors   0, -EBADMSG (no XML of a domain), -EFBIG (over HSM_XML_MAX bytes), -EOVERFLOW (more USB
 *          devices than HSM_USB_MAX).
 * Source   https://libvirt.org/formatdomain.html, "USB / PCI / SCSI devices" and "Vsock".
 */
#ifndef HOST_HSM_DOMAIN_XML_H
#define HOST_HSM_DOMAIN_XML_H

#include "host/hsm/usb.h"

enum { HSM_XML_MAX = 4 << 20 };

MUST_CHECK int hsm_domain_xml_parse(const char *xml, size_t length, struct hsm_domain *ret);

#endif
