using System.Buffers;

namespace EdgeBroker.Transport.Tests.Reactors;

/// <summary>A handler that does what a test says, and notes what happens to it. By itself it echoes.</summary>
internal class TestHandler(TransportConnection connection) : IConnectionHandler
{
    private const int EnoughBytes = 256 * 1024;

    public TransportConnection Connection => connection;

    public int Thread { get; set; }

    public bool HasLoggedIn { get; set; }

    /// <summary>Whether it reads nothing until its output is empty.</summary>
    public bool IsPaused { get; private set; }

    public string? Closed { get; private set; }

    public int ClosedCount { get; private set; }

    public int Deadlines { get; private set; }

    public long ReceivedBytes { get; private set; }

    public bool WrongThread { get; private set; }

    /// <summary>Whether it was told that it ended the connection by an exception.</summary>
    public bool IsFaulted { get; private set; }

    /// <summary>The method that has a bug; null: none.</summary>
    public volatile string? ThrowsIn;

    public virtual int Receive(ReadOnlySpan<byte> bytes, out int announcedBytes)
    {
        Note(nameof(Receive));
        ReceivedBytes += bytes.Length;
        announcedBytes = 0;
        Write(bytes);
        if (connection.Output.Length < EnoughBytes) return bytes.Length;
        lock (connection.Output.SyncRoot) connection.WantsCallbackWhenDrained = true;
        IsPaused = true;
        connection.PauseReading();
        return bytes.Length;
    }

    public virtual void OnCallback()
    {
        Note(nameof(OnCallback));
        if (!IsPaused) return;
        IsPaused = false;
        connection.ResumeReading();
    }

    public void OnDeadline()
    {
        Note(nameof(OnDeadline));
        Deadlines++;
    }

    public void OnClosed(string explanation, bool isFault)
    {
        IsFaulted = isFault;
        Closed = explanation;
        ClosedCount++;
        Note(nameof(OnClosed));
    }

    public void Write(ReadOnlySpan<byte> bytes, bool close = false)
    {
        lock (connection.Output.SyncRoot)
        {
            connection.Output.Write(bytes);
            connection.RequestFlush();
            if (close) connection.Close();
        }
    }

    private void Note(string method)
    {
        WrongThread |= Thread != 0 && Thread != Environment.CurrentManagedThreadId;
        if (ThrowsIn == method) throw new InvalidTimeZoneException("a bug");
    }
}
