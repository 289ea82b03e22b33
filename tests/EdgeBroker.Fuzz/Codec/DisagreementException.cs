namespace EdgeBroker.Fuzz.Codec;

/// <summary>The codec did something else than the oracle or its own rules say; carries the bytes to reproduce it.</summary>
public sealed class DisagreementException(string what, ReadOnlySpan<byte> bytes) : Exception($"{what}: {Convert.ToHexString(bytes)}");
