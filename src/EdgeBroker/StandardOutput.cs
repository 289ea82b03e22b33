using System.ComponentModel;
using System.Runtime.InteropServices;
using EdgeBroker.Cli.Options;

namespace EdgeBroker;

/// <summary>
/// The process's standard output or error, unbuffered. Unlike the runtime's own it says when the reader is gone, and it does not end the process when it was
/// closed from the start.
/// </summary>
/// <param name="descriptor">1 or 2.</param>
internal sealed unsafe partial class StandardOutput(int descriptor) : Stream
{
    private const int ReadWrite = 2;
    private const int GetFlags = 1;
    private const int ErrorInterrupted = 4;
    private const int ErrorAgain = 11;
    private const int ErrorBrokenPipe = 32;
    private const short Writable = 4;

    public override bool CanRead => false;

    public override bool CanSeek => false;

    public override bool CanWrite => true;

    public override long Length => throw new NotSupportedException();

    public override long Position
    {
        get => throw new NotSupportedException();
        set => throw new NotSupportedException();
    }

    /// <summary>
    /// Opens what the process was started without (<c>&gt;&amp;-</c>): otherwise the next file that is opened, a database perhaps, would be its output.
    /// </summary>
    public static void EnsureOpen()
    {
        for (int i = 0; i <= 2; i++)
        {
            if (Control(i, GetFlags, 0) >= 0) continue;
            fixed (byte* path = "/dev/null\0"u8) _ = Open(path, ReadWrite);
        }
    }

    public override void Write(byte[] buffer, int offset, int count) => Write(buffer.AsSpan(offset, count));

    /// <exception cref="OutputException">The reader is gone, or there is no room.</exception>
    public override void Write(ReadOnlySpan<byte> buffer)
    {
        fixed (byte* bytes = buffer)
        {
            int written = 0;
            while (written < buffer.Length)
            {
                nint count = Write(descriptor, bytes + written, buffer.Length - written);
                if (count >= 0) written += (int)count;
                else Recover(Marshal.GetLastPInvokeError());
            }
        }
    }

    public override void Flush()
    {
        // Nothing is kept.
    }

    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    private void Recover(int error)
    {
        if (error == ErrorInterrupted) return;
        if (error != ErrorAgain)
        {
            throw new OutputException(new Win32Exception(error).Message, isReaderGone: error == ErrorBrokenPipe);
        }

        // Somebody shares the terminal or pipe and made it non-blocking.
        var wait = new PollDescriptor { Descriptor = descriptor, Events = Writable };
        _ = Poll(&wait, 1, -1);
    }

    [LibraryImport("libc", EntryPoint = "write", SetLastError = true)]
    private static partial nint Write(int descriptor, byte* bytes, nint count);

    [LibraryImport("libc", EntryPoint = "fcntl", SetLastError = true)]
    private static partial int Control(int descriptor, int command, nint argument);

    [LibraryImport("libc", EntryPoint = "open", SetLastError = true)]
    private static partial int Open(byte* path, int flags);

    [LibraryImport("libc", EntryPoint = "poll", SetLastError = true)]
    private static partial int Poll(PollDescriptor* descriptors, nuint count, int timeoutMs);

    /// <summary><c>struct pollfd</c>.</summary>
    [StructLayout(LayoutKind.Sequential)]
    private struct PollDescriptor
    {
        public int Descriptor;
        public short Events;
        public short Returned;
    }
}
