// A library that fits one version of torch alone, which no wheel may hold.
namespace c10 {
void OfOneTorch();
}

void UseIt() { c10::OfOneTorch(); }
