using Microsoft.Win32.SafeHandles;

namespace EdgeBroker.Memory;

/// <summary>A file of the kernel's that is read again and again: kept open, and read anew from its start each time, without allocating.</summary>
/// <param name="path">Where it is.</param>
internal sealed class KernelFile(string path) : IDisposable
{
    private SafeFileHandle? _handle;
    private bool _isMissing;

    /// <summary>What it holds now, as far as the buffer goes; empty when it cannot be read.</summary>
    public ReadOnlySpan<byte> Read(byte[] buffer)
    {
        // One that was not there at first does not come.
        if (_isMissing) return [];
        try
        {
            _handle ??= File.OpenHandle(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite);
            return buffer.AsSpan(0, RandomAccess.Read(_handle, buffer, 0));
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            // Not there, not ours to read, or of a control group that was removed: then it says nothing.
            _isMissing = true;
            return [];
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _handle?.Dispose();
}
