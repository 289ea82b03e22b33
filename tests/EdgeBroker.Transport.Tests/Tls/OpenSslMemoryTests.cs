using System.Runtime.InteropServices;
using EdgeBroker.Transport.Tls;

namespace EdgeBroker.Transport.Tests.Tls;

/// <summary>OpenSSL is asked to give its buffers free.</summary>
public sealed class OpenSslMemoryTests
{
    private const int Mode = 33;
    private const int ReleaseBuffers = 0x10;

    [Fact]
    public void Every_context_made_from_then_on_gives_them_free()
    {
        Assert.True(OpenSslMemory.ReleaseBuffers());
        Assert.True(OpenSslMemory.ReleaseBuffers());
        nint context = NewContext(Method());
        Assert.NotEqual(0, context);
        Assert.Equal(ReleaseBuffers, (int)Control(context, Mode, 0, 0) & ReleaseBuffers);
        Free(context);
    }

    [DllImport("libssl.so.3", EntryPoint = "TLS_method")]
    private static extern nint Method();

    [DllImport("libssl.so.3", EntryPoint = "SSL_CTX_new")]
    private static extern nint NewContext(nint method);

    [DllImport("libssl.so.3", EntryPoint = "SSL_CTX_ctrl")]
    private static extern nint Control(nint context, int command, nint argument, nint pointer);

    [DllImport("libssl.so.3", EntryPoint = "SSL_CTX_free")]
    private static extern void Free(nint context);
}
