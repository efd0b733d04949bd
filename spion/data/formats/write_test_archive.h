// Writes tar and gzip files, for tests of what reads them.
#ifndef SPION_DATA_FORMATS_WRITE_TEST_ARCHIVE_H_
#define SPION_DATA_FORMATS_WRITE_TEST_ARCHIVE_H_

#include <string>

namespace spion {

/// A file's header and content, padded, in ustar's form.
std::string TestTarMember(const std::string& name, const std::string& content, char type = '0',
                          const std::string& prefix = "");

/// What ends a tar archive: two blocks of zeros.
std::string TestTarEnd();

/// What gzip makes of `content`.
std::string TestGzip(const std::string& content);

}  // namespace spion

#endif  // SPION_DATA_FORMATS_WRITE_TEST_ARCHIVE_H_
