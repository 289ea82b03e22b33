namespace EdgeBroker.Transport.Tests.Reactors;

/// <summary>Waits for a whole unit, ends its connection, and reads the unit only then.</summary>
internal sealed class Ender : TestHandler
{
    private readonly int _unitBytes;
    private readonly bool _throws;

    public Ender(TransportConnection connection, int unitBytes, bool throws)
        : base(connection)
    {
        _unitBytes = unitBytes;
        _throws = throws;
        HasLoggedIn = true;
    }

    /// <summary>The sum of the unit's bytes, once it has been read.</summary>
    public long Sum { get; private set; }

    public override int Receive(ReadOnlySpan<byte> bytes, out int announcedBytes)
    {
        announcedBytes = _unitBytes;
        if (bytes.Length < _unitBytes) return 0;
        Connection.Abort();
        long sum = 0;
        foreach (byte one in bytes) sum += one;
        Sum = sum;
        return _throws ? throw new InvalidTimeZoneException("a bug") : bytes.Length;
    }
}
