// The name of this machine, for messages and for what runs leave.
#ifndef SPION_BASE_HOST_NAME_H_
#define SPION_BASE_HOST_NAME_H_

#include <string>

namespace spion {

/// As UTF-8 (spion/base/utf8.h), so that JSON can hold it; "" where the system does not tell it.
std::string HostName();

}  // namespace spion

#endif  // SPION_BASE_HOST_NAME_H_
