// The version of SPION, which stands in the file VERSION alone.
#ifndef SPION_BASE_VERSION_H_
#define SPION_BASE_VERSION_H_

#include <string>

namespace spion {

/// "0.2.0".
std::string Version();

/// What --version prints: "SPION 0.2.0" and the end of the line.
inline std::string VersionText() { return "SPION " + Version() + "\n"; }

}  // namespace spion

#endif  // SPION_BASE_VERSION_H_
