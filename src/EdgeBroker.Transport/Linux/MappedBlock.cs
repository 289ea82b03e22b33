using System.Runtime.InteropServices;

namespace EdgeBroker.Transport.Linux;

/// <summary>
/// A block of the system's memory, out of the garbage collector's sight: what is given back is free at once, and it grows without a copy. A page of it is
/// resident from when it is first written. One owner, who gives it back.
/// </summary>
internal unsafe partial struct MappedBlock
{
    // The same on x64 and arm64.
    private const int Readable = 1;
    private const int Writable = 2;
    private const int Private = 2;
    private const int Anonymous = 0x20;
    private const int MayMove = 1;

    private static readonly nint Failed = -1;

    private nint _address;

    /// <summary>How large it is; 0: there is none.</summary>
    public int Bytes { get; private set; }

    /// <summary>The memory, until it is resized or given back.</summary>
    public readonly Span<byte> Span => new((void*)_address, Bytes);

    /// <summary>Takes it, or makes it larger or smaller; what is in it stays.</summary>
    /// <param name="minBytes">How large it is at least; above 0.</param>
    /// <exception cref="InsufficientMemoryException">There is no memory; it is as before.</exception>
    public void Resize(int minBytes)
    {
        int pageBytes = Environment.SystemPageSize;
        int bytes = checked((minBytes + pageBytes - 1) / pageBytes * pageBytes);
        nint address = Bytes == 0
            ? Map(0, (nuint)bytes, Readable | Writable, Private | Anonymous, -1, 0)
            : Remap(_address, (nuint)Bytes, (nuint)bytes, MayMove);
        if (address == Failed) throw new InsufficientMemoryException($"No memory for {bytes} bytes.");
        (_address, Bytes) = (address, bytes);
    }

    /// <summary>Gives it back to the system.</summary>
    public void Free()
    {
        // It fails only where the system's table of mappings is full; then the memory is lost.
        if (Bytes > 0) _ = Unmap(_address, (nuint)Bytes);
        (_address, Bytes) = (0, 0);
    }

    [LibraryImport("libc", EntryPoint = "mmap")]
    private static partial nint Map(nint address, nuint length, int protection, int flags, int file, nint offset);

    [LibraryImport("libc", EntryPoint = "mremap")]
    private static partial nint Remap(nint address, nuint oldLength, nuint newLength, int flags);

    [LibraryImport("libc", EntryPoint = "munmap")]
    private static partial int Unmap(nint address, nuint length);
}
