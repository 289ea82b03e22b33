using System.Runtime.InteropServices;

namespace EdgeBroker.Transport.Tls;

/// <summary>
/// Has OpenSSL give a connection's buffers, 34 KB, free between two records, which <see cref="System.Net.Security.SslStream"/> does not ask it for. By its
/// public interface: it calls whoever wants to know of each context that is made (CRYPTO_get_ex_new_index), and the mode is set on that (SSL_CTX_set_mode).
/// </summary>
public static unsafe class OpenSslMemory
{
    // The library the runtime loads, of all systems it is supported on; another one keeps its buffers.
    private const string Crypto = "libcrypto.so.3";
    private const string Ssl = "libssl.so.3";

    // openssl/crypto.h, openssl/ssl.h
    private const int IndexOfContexts = 1;
    private const int SetMode = 33;
    private const int ReleaseBuffersMode = 0x10;

    private static readonly Lazy<bool> Registered = new(Register);
    private static delegate* unmanaged[Cdecl]<nint, int, nint, nint, nint> _control;

    /// <summary>Takes effect for contexts made from here on.</summary>
    /// <returns>Whether it does; false: another library is in use.</returns>
    public static bool ReleaseBuffers() => Registered.Value;

    private static bool Register()
    {
        if (!NativeLibrary.TryLoad(Ssl, out nint ssl) || !NativeLibrary.TryLoad(Crypto, out nint crypto)) return false;
        if (!NativeLibrary.TryGetExport(ssl, "SSL_CTX_ctrl", out nint control)) return false;
        if (!NativeLibrary.TryGetExport(crypto, "CRYPTO_get_ex_new_index", out nint register)) return false;
        _control = (delegate* unmanaged[Cdecl]<nint, int, nint, nint, nint>)control;
        delegate* unmanaged[Cdecl]<nint, nint, nint, int, nint, nint, void> made = &OnContextMade;
        return ((delegate* unmanaged[Cdecl]<int, nint, nint, void*, void*, void*, int>)register)(IndexOfContexts, 0, 0, made, null, null) >= 0;
    }

    [UnmanagedCallersOnly(CallConvs = [typeof(System.Runtime.CompilerServices.CallConvCdecl)])]
    private static void OnContextMade(nint context, nint data, nint all, int index, nint argument, nint pointer) =>
        _control(context, SetMode, ReleaseBuffersMode, 0);
}
