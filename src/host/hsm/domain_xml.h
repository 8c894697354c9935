/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HOST_HSM_DOMAIN_XML_H
#define HOST_HSM_DOMAIN_XML_H

#include "host/hsm/usb.h"

enum { HSM_XML_MAX = 4 << 20 };

/* Without network and entities (a document with a DTD is refused). 0, -EBADMSG (not the XML of a domain),
 * -EFBIG (over HSM_XML_MAX bytes), -EOVERFLOW (more USB devices than HSM_USB_MAX). Source:
 * https://libvirt.org/formatdomain.html, "USB / PCI / SCSI devices" and "Vsock". */
MUST_CHECK int hsm_domain_xml_parse(const char *xml, size_t length, struct hsm_domain *ret);

#endif
